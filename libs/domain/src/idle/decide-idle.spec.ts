import { describe, expect, it } from 'vitest';
import { decideIdle } from './decide-idle.js';
import { DEFAULT_IDLE_PREFERENCES } from './idle-preferences.js';
import {
  decided,
  discharging,
  headless,
  idle,
  minutes,
  noon,
  someSignals,
  typing,
  type DecisionRow,
} from './idle.fixture.js';

const compute = { whileInUse: 'compute' } as const;
const memory = (totalMiB: number, availableMiB: number, ownMiB = 0) => ({
  memory: { totalMiB, availableMiB, ownMiB },
});

const rows: readonly DecisionRow[] = [
  // Input
  ['an hour after the last input', { inputAgeMs: minutes(60) }, {}, noon, [4, 1], idle],
  ['at the very moment of a key press', typing, {}, noon, null, 'paused: you are typing'],
  ['just before 3 minutes', { inputAgeMs: minutes(3) - 1 }, {}, noon, null, 'paused: you are typing'],
  ['at 3 minutes', { inputAgeMs: minutes(3) }, {}, noon, [4, 1], idle],
  [
    '2 minutes after input, in use for 1',
    { inputAgeMs: minutes(2) },
    { inUseForMs: minutes(1) },
    noon,
    [4, 1],
    idle,
  ],
  [
    '9 minutes after input, in use for 10',
    { inputAgeMs: minutes(9) },
    { inUseForMs: minutes(10) },
    noon,
    null,
    'paused: you are typing',
  ],
  ['input never counts as use', typing, { inUseForMs: 0 }, noon, [4, 1], idle],
  ['headless', headless, {}, noon, [4, 1], 'computing: nothing speaks against it'],
  ['headless, one core', { ...headless, cores: 1 }, {}, noon, [1, 1], 'computing: nothing speaks against it'],
  // Computing while in use
  ['in use, allowed', typing, compute, noon, [3, 1], 'computing on 3 of 4 cores: the machine is in use'],
  [
    'in use, allowed on 2 cores',
    { ...typing, cores: 2 },
    compute,
    noon,
    [1, 1],
    'computing on 1 of 2 cores: the machine is in use',
  ],
  [
    'in use, allowed, the only core',
    { ...typing, cores: 1 },
    compute,
    noon,
    null,
    'paused: the only core is yours while you use the machine',
  ],
  [
    'in use, one core wanted',
    typing,
    { ...compute, cores: { idle: null, inUse: 1 } },
    noon,
    [1, 1],
    'computing on 1 of 4 cores: the machine is in use',
  ],
  [
    'in use, more cores wanted than N − 1',
    typing,
    { ...compute, cores: { idle: null, inUse: 9 } },
    noon,
    [3, 1],
    'computing on 3 of 4 cores: the machine is in use',
  ],
  [
    'in use, fewer cores when idle',
    typing,
    { ...compute, cores: { idle: 2, inUse: 3 } },
    noon,
    [2, 1],
    'computing on 2 of 4 cores: the machine is in use',
  ],
  [
    'in use, no core wanted',
    typing,
    { ...compute, cores: { idle: null, inUse: 0 } },
    noon,
    null,
    'paused: all cores are yours while you use the machine',
  ],
  [
    'in use, half of the time',
    typing,
    { ...compute, duty: { idle: 1, inUse: 0.5 } },
    noon,
    [3, 0.5],
    'computing on 3 of 4 cores for 50 % of the time: the machine is in use',
  ],
  // Cores and duty when idle
  [
    'two of four cores',
    {},
    { cores: { idle: 2, inUse: null } },
    noon,
    [2, 1],
    'computing on 2 of 4 cores: the machine is idle',
  ],
  ['more cores than there are', {}, { cores: { idle: 64, inUse: null } }, noon, [4, 1], idle],
  [
    'a share of the time',
    {},
    { duty: { idle: 0.8, inUse: 0.1 } },
    noon,
    [4, 0.8],
    'computing for 80 % of the time: the machine is idle',
  ],
  ['256 cores', { cores: 256 }, {}, noon, [256, 1], idle],
  // CPU used by others
  ['others at the limit', { cpuByOthers: 0.25 }, {}, noon, [4, 1], idle],
  [
    'others above the limit',
    { cpuByOthers: 0.26 },
    {},
    noon,
    null,
    'paused: other programs use 26 % of the CPU (limit 25 %)',
  ],
  [
    'others take everything',
    { cpuByOthers: 1 },
    {},
    noon,
    null,
    'paused: other programs use 100 % of the CPU (limit 25 %)',
  ],
  [
    'others above a limit of one’s own',
    { cpuByOthers: 0.12 },
    { maxCpuByOthers: 0.1 },
    noon,
    null,
    'paused: other programs use 12 % of the CPU (limit 10 %)',
  ],
  ['others below a limit of one’s own', { cpuByOthers: 0.7 }, { maxCpuByOthers: 0.75 }, noon, [4, 1], idle],
  ['others, rule off', { cpuByOthers: 1, cpuPressure: 1 }, { maxCpuByOthers: null }, noon, [4, 1], idle],
  ['others unknown', { cpuByOthers: null, cpuPressure: null }, {}, noon, [4, 1], idle],
  [
    'others unknown, pressure high',
    { cpuByOthers: null, cpuPressure: 0.8 },
    {},
    noon,
    null,
    'paused: programs waited for the CPU 80 % of the time',
  ],
  ['others unknown, pressure low', { cpuByOthers: null, cpuPressure: 0.4 }, {}, noon, [4, 1], idle],
  ['others known and few, pressure high', { cpuByOthers: 0.1, cpuPressure: 0.9 }, {}, noon, [4, 1], idle],
  [
    'others, on a headless server',
    { ...headless, cpuByOthers: 0.5 },
    {},
    noon,
    null,
    'paused: other programs use 50 % of the CPU (limit 25 %)',
  ],
  // Battery
  ['no battery', { battery: null }, {}, noon, [4, 1], idle],
  ['plugged in, charging', { battery: { isDischarging: false, charge: 0.1 } }, {}, noon, [4, 1], idle],
  ['on battery', discharging(1), {}, noon, null, 'paused: on battery'],
  ['on battery, charge unknown', discharging(null), {}, noon, null, 'paused: on battery'],
  ['on battery, allowed', discharging(0.9), { onBattery: 'compute' }, noon, [4, 1], idle],
  [
    'on battery, allowed, at the least charge',
    discharging(0.3),
    { onBattery: 'compute' },
    noon,
    [4, 1],
    idle,
  ],
  [
    'on battery, allowed, low',
    discharging(0.29),
    { onBattery: 'compute' },
    noon,
    null,
    'paused: the battery is low (29 %)',
  ],
  ['on battery, allowed, charge unknown', discharging(null), { onBattery: 'compute' }, noon, [4, 1], idle],
  // Temperature
  ['temperature unknown', { temperatureC: null }, {}, noon, [4, 1], idle],
  ['warm, far from the limit', { temperatureC: 80 }, {}, noon, [4, 1], idle],
  [
    'near the limit',
    { temperatureC: 85 },
    {},
    noon,
    [4, 0.5],
    'computing for 50 % of the time: the machine is idle',
  ],
  [
    'nearer the limit',
    { temperatureC: 89.9 },
    {},
    noon,
    [4, 0.1],
    'computing for 10 % of the time: the machine is idle',
  ],
  ['at the limit', { temperatureC: 90 }, {}, noon, null, 'paused: the machine is hot (90 °C)'],
  [
    'near the limit, duty is lower already',
    { temperatureC: 85 },
    { duty: { idle: 0.2, inUse: 1 } },
    noon,
    [4, 0.2],
    'computing for 20 % of the time: the machine is idle',
  ],
  ['hot, rule off', { temperatureC: 104 }, { maxTemperatureC: null }, noon, [4, 1], idle],
  [
    'a limit of one’s own',
    { temperatureC: 71 },
    { maxTemperatureC: 70 },
    noon,
    null,
    'paused: the machine is hot (71 °C)',
  ],
  // Disk
  ['disk unknown', { freeDiskMiB: null }, {}, noon, [4, 1], idle],
  [
    'disk nearly full',
    { freeDiskMiB: 100 },
    {},
    noon,
    null,
    'paused: only 100 MiB of the disk are free (512 MiB are to stay free)',
  ],
  ['disk at the limit', { freeDiskMiB: 512 }, {}, noon, [4, 1], idle],
  [
    'disk below a limit of one’s own',
    { freeDiskMiB: 1536 },
    { minFreeDiskMiB: 2048 },
    noon,
    null,
    'paused: only 1.5 GiB of the disk are free (2.0 GiB are to stay free)',
  ],
  // Memory
  ['memory unknown', { memory: null }, {}, noon, [4, 1], idle],
  [
    'little memory left',
    memory(8000, 450),
    {},
    noon,
    null,
    'paused: other programs need the memory (50 MiB are left)',
  ],
  ['little memory left, most is ours', memory(8000, 450, 4000), {}, noon, [4, 1], idle],
  [
    'memory pressure',
    { memoryPressure: 0.3 },
    {},
    noon,
    null,
    'paused: programs waited for memory 30 % of the time',
  ],
  ['some memory pressure', { memoryPressure: 0.1 }, {}, noon, [4, 1], idle],
];

describe('what a machine is doing decides whether it computes, and with how much of it', () => {
  it.each(rows)('%s', (...row) => {
    const [, , , , allowed, reason] = row;
    expect(decided(row)).toEqual([allowed, reason]);
  });

  it.each([
    ['idle: 90 % of the memory', {}, {}, 7200],
    ['in use: half of it', typing, compute, 4000],
    ['no more than is free, without the reserve', memory(8000, 3000), {}, 2600],
    ['what it holds itself counts as free', memory(8000, 3000, 1000), {}, 3600],
    ['unknown', { memory: null }, {}, null],
  ])('offers memory: %s', (_what, signals, preferences, memoryMiB) => {
    const decision = decideIdle(someSignals(signals), { ...DEFAULT_IDLE_PREFERENCES, ...preferences }, noon);
    expect(decision.memoryMiB).toBe(memoryMiB);
  });
});
