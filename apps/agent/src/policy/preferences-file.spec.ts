import { DEFAULT_IDLE_PREFERENCES } from '@gleaner/domain';
import { describe, expect, it } from 'vitest';
import { completeSwarmPreferences } from '../swarm/swarm-preferences-file.js';
import { completePreferences, parsePreferences } from './preferences-file.js';

const read = (value: unknown) =>
  completePreferences(parsePreferences(JSON.stringify(value), 'preferences.json'));

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
    ['{"unknown":1}', 'unknown'],
    ['{"whileInUse"', 'preferences.json is not JSON'],
  ])('that cannot be understood are refused with the place: %s', (text, message) => {
    expect(() => parsePreferences(text, 'preferences.json')).toThrow(message);
  });
});
