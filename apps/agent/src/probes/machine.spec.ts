import { describe, expect, it } from 'vitest';
import { parsePmset, parseWin32Battery, readPowerSupplies } from './battery.js';
import { MachineProbes } from './machine-probes.js';
import { parseMeminfo, readMemory } from './memory.js';
import { readFreeDisk } from './disk.js';
import { readText } from './read-text.js';
import { Temperature } from './temperature.js';

describe('a battery', () => {
  const supplies = (files: Record<string, string>) => (path: string) =>
    files[path.replace('/sys/class/power_supply/', '')];

  it('of a laptop on battery', () => {
    const read = supplies({
      'AC/type': 'Mains\n',
      'AC/online': '0\n',
      'BAT0/type': 'Battery\n',
      'BAT0/status': 'Discharging\n',
      'BAT0/capacity': '73\n',
    });
    expect(readPowerSupplies(['AC', 'BAT0'], read)).toEqual({ isDischarging: true, charge: 0.73 });
  });

  it.each(['Charging', 'Full', 'Not charging', 'Unknown'])('that is "%s" does not discharge', (status) => {
    const read = supplies({
      'BAT0/type': 'Battery\n',
      'BAT0/status': `${status}\n`,
      'BAT0/capacity': '100\n',
    });
    expect(readPowerSupplies(['BAT0'], read)).toEqual({ isDischarging: false, charge: 1 });
  });

  it('with two cells is as full as the emptier one', () => {
    const read = supplies({
      'BAT0/type': 'Battery\n',
      'BAT0/status': 'Unknown\n',
      'BAT0/capacity': '80\n',
      'BAT1/type': 'Battery\n',
      'BAT1/status': 'Discharging\n',
      'BAT1/capacity': '20\n',
    });
    expect(readPowerSupplies(['BAT0', 'BAT1'], read)).toEqual({ isDischarging: true, charge: 0.2 });
  });

  it('of a mouse is none of the machine’s', () => {
    const read = supplies({
      'hidpp_battery_0/type': 'Battery\n',
      'hidpp_battery_0/scope': 'Device\n',
      'hidpp_battery_0/status': 'Discharging\n',
    });
    expect(readPowerSupplies(['hidpp_battery_0'], read)).toBeNull();
  });

  it.each([
    [
      "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t82%; discharging; 5:03 remaining present: true\n",
      { isDischarging: true, charge: 0.82 },
    ],
    [
      "Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t100%; charged; 0:00 remaining present: true\n",
      { isDischarging: false, charge: 1 },
    ],
    ["Now drawing from 'AC Power'\n", null],
  ])('as pmset tells on macOS: %j', (text, reading) => {
    expect(parsePmset(text)).toEqual(reading);
  });

  it.each([
    ['1 64\r\n', { isDischarging: true, charge: 0.64 }],
    ['2 100\r\n', { isDischarging: false, charge: 1 }],
    ['2 90\r\n5 4\r\n', { isDischarging: true, charge: 0.04 }],
    ['', null],
  ])('as CIM tells on Windows: %j', (text, reading) => {
    expect(parseWin32Battery(text)).toEqual(reading);
  });
});

describe('temperature', () => {
  it('is the hottest zone that makes sense', () => {
    const files: Record<string, string> = {
      thermal_zone0: '45000\n',
      thermal_zone1: '61500\n',
      thermal_zone2: '-274000\n',
    };
    const read = (path: string) => files[path.split('/').at(-2) ?? ''];
    expect(new Temperature(read, Object.keys(files)).read()).toBe(61.5);
    expect(new Temperature(() => undefined, ['thermal_zone0']).read()).toBeNull();
    expect(new Temperature(read, []).read()).toBeNull();
  });
});

describe('memory and disk', () => {
  it('are read from /proc/meminfo', () => {
    const text = 'MemTotal:       16318412 kB\nMemFree:          204800 kB\nMemAvailable:    8192000 kB\n';
    expect(parseMeminfo(text)).toEqual({ totalMiB: 16318412 / 1024, availableMiB: 8000 });
    expect(parseMeminfo('MemTotal:       16318412 kB\n')).toBeNull();
  });

  it('of this machine are known', () => {
    const { totalMiB, availableMiB } = readMemory(readText);
    expect(availableMiB).toBeGreaterThan(0);
    expect(totalMiB).toBeGreaterThan(availableMiB);
    expect(readFreeDisk('.')).toBeGreaterThan(0);
    expect(readFreeDisk('/nowhere/at/all')).toBeNull();
  });
});

describe('all probes together', () => {
  it('read this machine without failing', async () => {
    using probes = await MachineProbes.open('.');
    const signals = probes.read({ kind: 'auto' });
    expect(signals.cores).toBeGreaterThan(0);
    expect(signals.memory?.ownMiB).toBeGreaterThan(0);
    expect(signals.freeDiskMiB).toBeGreaterThan(0);
  });
});
