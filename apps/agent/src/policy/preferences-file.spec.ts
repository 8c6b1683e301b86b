import { DEFAULT_IDLE_PREFERENCES } from '@gleaner/domain';
import { hostPreferences } from '@gleaner/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeSwarmPreferences } from '../swarm/swarm-preferences-file.js';
import { completePreferences, parsePreferences } from './preferences-file.js';

const read = (value: unknown) =>
  completePreferences(parsePreferences(JSON.stringify(value), 'preferences.json'));

/** `07:05`. */
function timeOf(minute: number): string {
  const part = (value: number): string => String(value).padStart(2, '0');
  return `${part(Math.floor(minute / 60))}:${part(minute % 60)}`;
}

describe('preferences', () => {
  it('are the defaults where nothing is written', () => {
    expect(read({})).toEqual(DEFAULT_IDLE_PREFERENCES);
  });

  it('are written with shares in percent and times in minutes', () => {
    const preferences = read({
      whileInUse: 'compute',
      inUseMinutes: 0.5,
      cores: { inUse: 1 },
      cpuTimePercent: { idle: 80 },
      memoryPercent: { inUse: 25 },
      maxCpuByOthersPercent: 40,
      onBattery: 'compute',
      minBatteryPercent: 60,
    });
    expect(preferences).toEqual({
      ...DEFAULT_IDLE_PREFERENCES,
      whileInUse: 'compute',
      inUseForMs: 30_000,
      cores: { idle: null, inUse: 1 },
      duty: { idle: 0.8, inUse: 1 },
      memory: { idle: 0.9, inUse: 0.25 },
      maxCpuByOthers: 0.4,
      onBattery: 'compute',
      minBatteryCharge: 0.6,
    });
  });

  it('switch rules off with null', () => {
    const { maxCpuByOthers, maxTemperatureC, hours } = read({
      maxCpuByOthersPercent: null,
      maxTemperatureC: null,
      hours: null,
    });
    expect([maxCpuByOthers, maxTemperatureC, hours]).toEqual([null, null, null]);
  });

  it('name hours for every day and for single days, which come first', () => {
    const { hours } = read({ hours: { everyday: '22:00-07:00', sunday: ['00:00-24:00'], friday: [] } });
    expect(hours?.monday).toEqual([{ fromMinute: 1320, toMinute: 420 }]);
    expect(hours?.sunday).toEqual([{ fromMinute: 0, toMinute: 1440 }]);
    expect(hours?.friday).toEqual([]);
  });

  it('from the website are understood, whatever the coordinator lets through', () => {
    const minute = fc.integer({ min: 0, max: 1440 }).map(timeOf);
    const range = fc.tuple(minute, minute).map(([from, to]) => `${from}-${to}`);
    const asked = fc.record({
      hours: fc.dictionary(fc.constantFrom('everyday', 'monday', 'sunday'), fc.oneof(range, fc.array(range))),
      cores: fc.record({ idle: fc.option(fc.nat(2000)), inUse: fc.option(fc.nat(2000)) }),
      minFreeDiskMiB: fc.nat(),
    });
    let understood = 0;
    fc.assert(
      fc.property(asked, (preferences) => {
        if (!hostPreferences.safeParse(preferences).success) return;
        understood += 1;
        expect(() => read(preferences)).not.toThrow();
      }),
      {
        examples: [[{ hours: { everyday: '22:00-22:00' }, cores: { idle: 1, inUse: 1 }, minFreeDiskMiB: 0 }]],
      },
    );
    expect(understood).toBeGreaterThan(0);
  });

  it('limit what is exchanged with other volunteers, in bytes or in words', () => {
    const file = {
      uploadLimit: '500kB/s',
      downloadLimit: 2_000_000,
      monthlyCapBytes: '10 GB',
      interfaces: 'eth0,wlan0',
    };
    const parsed = parsePreferences(JSON.stringify(file), 'preferences.json');
    expect(completeSwarmPreferences(parsed)).toEqual({
      uploadBytesPerSecond: 500_000,
      downloadBytesPerSecond: 2_000_000,
      monthlyCapBytes: 10_000_000_000,
      port: 0,
      interfaces: ['eth0', 'wlan0'],
      keepsReplicas: true,
    });
  });

  it.each([
    ['{"uploadLimit":"fast"}', 'uploadLimit: must be more than nothing'],
    ['{"whileInUse":"sometimes"}', 'preferences.json: whileInUse'],
    ['{"cpuTimePercent":{"idle":0}}', 'cpuTimePercent.idle'],
    ['{"hours":{"monday":"25:00-26:00"}}', 'hours.monday'],
    ['{"unknown":1}', 'unknown: is not a known field: there are whileInUse, inUseMinutes, cores,'],
    ['{"onbattery":"pause"}', 'onbattery: is not a known field: did you mean "onBattery"?'],
    ['{"cores":{"busy":1}}', 'cores.busy: is not a known field: there are idle, inUse'],
    ['{"onBattery":"maybe"}', 'onBattery: must be "pause" or "compute", not "maybe"'],
    ['{"p2p":"yes"}', 'p2p: must be a boolean, not "yes"'],
    ['{"whileInUse"', 'preferences.json is not JSON'],
  ])('that cannot be understood are refused with the place: %s', (text, message) => {
    expect(() => parsePreferences(text, 'preferences.json')).toThrow(message);
  });
});
