import { WEEKDAYS } from '@gleaner/protocol';
import { expect, it } from 'vitest';
import {
  aClock,
  decided,
  discharging,
  headless,
  idle,
  minutes,
  noon,
  typing,
  type DecisionRow,
} from './idle.fixture.js';
import { parseHourRange } from './weekly-hours.js';

const nights = { hours: { monday: [parseHourRange('22:00-07:00')] } };
const everyNight = {
  hours: Object.fromEntries(WEEKDAYS.map((day) => [day, [parseHourRange('22:00-07:00')]])),
};
const lunch = { hours: { wednesday: ['12:00-13:00', '18:00-24:00'].map(parseHourRange) } };
const pauseUntil = (untilMs: number | null) => ({ control: { kind: 'pause', untilMs } as const });
const always = { control: { kind: 'always', untilMs: null } as const };

/** Hours, what the volunteer asks for, and which of several reasons is told. */
const rows: readonly DecisionRow[] = [
  // Hours
  ['within hours over midnight, evening', {}, nights, aClock(1, '22:00'), [4, 1], idle],
  ['within hours over midnight, next morning', {}, nights, aClock(2, '06:59'), [4, 1], idle],
  ['after hours over midnight', {}, nights, aClock(2, '07:00'), null, 'paused: no hours on tuesdays'],
  [
    'before hours',
    {},
    nights,
    aClock(1, '21:59'),
    null,
    "paused: outside 22:00–07:00 by this machine's clock",
  ],
  [
    'the morning of the first day does not count',
    {},
    nights,
    aClock(1, '06:00'),
    null,
    "paused: outside 22:00–07:00 by this machine's clock",
  ],
  ['every night, by day', {}, everyNight, noon, null, "paused: outside 22:00–07:00 by this machine's clock"],
  ['every night, Sunday morning after Saturday', {}, everyNight, aClock(0, '03:00'), [4, 1], idle],
  ['first of two ranges', {}, lunch, aClock(3, '12:30'), [4, 1], idle],
  [
    'between two ranges',
    {},
    lunch,
    aClock(3, '15:00'),
    null,
    "paused: outside 12:00–13:00 and 18:00–24:00 by this machine's clock",
  ],
  ['the last minute of a day', {}, lunch, aClock(3, '23:59'), [4, 1], idle],
  [
    'the day after a range that ends at midnight',
    {},
    lunch,
    aClock(4, '00:00'),
    null,
    'paused: no hours on thursdays',
  ],
  ['no hours at all', {}, { hours: {} }, noon, null, 'paused: no hours on wednesdays'],
  // What the volunteer asked for
  [
    'asked to pause',
    pauseUntil(null),
    {},
    noon,
    null,
    'paused: you asked for it; "gleaner agent resume" goes on',
  ],
  [
    'paused from afar',
    { control: { kind: 'pause', untilMs: null, from: 'website' } },
    {},
    noon,
    null,
    'paused: you paused it on the website',
  ],
  [
    'asked for something that cannot be read, even with a machine that is idle and told to compute always',
    { control: { kind: 'unclear', because: 'control.json is damaged' } },
    { whileInUse: 'compute' },
    noon,
    null,
    'paused: control.json is damaged',
  ],
  [
    'asked to pause for 90 minutes',
    pauseUntil(noon.epochMs + minutes(90)),
    {},
    noon,
    null,
    'paused: you asked for it, until 13:30',
  ],
  [
    'asked to pause over midnight',
    pauseUntil(noon.epochMs + minutes(13 * 60)),
    {},
    noon,
    null,
    'paused: you asked for it, until tomorrow 01:00',
  ],
  [
    'asked to pause for days',
    pauseUntil(noon.epochMs + minutes(3 * 1440)),
    {},
    noon,
    null,
    'paused: you asked for it, until 12:00 in 3 days',
  ],
  ['the pause is over', pauseUntil(noon.epochMs), {}, noon, [4, 1], idle],
  [
    'the pause is over, yet somebody types',
    { ...pauseUntil(noon.epochMs), ...typing },
    {},
    noon,
    null,
    'paused: you are typing',
  ],
  [
    'asked to compute while typing',
    { ...always, ...typing },
    {},
    noon,
    [4, 1],
    'computing: you asked for it',
  ],
  [
    'asked to compute on battery',
    { ...always, ...discharging(0.5) },
    {},
    noon,
    [4, 1],
    'computing: you asked for it',
  ],
  ['asked to compute out of hours', always, nights, noon, [4, 1], 'computing: you asked for it'],
  [
    'asked to compute beside others',
    { ...always, cpuByOthers: 0.9 },
    {},
    noon,
    [4, 1],
    'computing: you asked for it',
  ],
  [
    'asked to compute, but hot',
    { ...always, temperatureC: 95 },
    {},
    noon,
    null,
    'paused: the machine is hot (95 °C)',
  ],
  [
    'asked to compute, but the disk is full',
    { ...always, freeDiskMiB: 0 },
    {},
    noon,
    null,
    'paused: only 0 MiB of the disk are free (512 MiB are to stay free)',
  ],
  [
    'asked to compute, cores as preferred',
    always,
    { cores: { idle: 2, inUse: null } },
    noon,
    [2, 1],
    'computing on 2 of 4 cores: you asked for it',
  ],
  // Which reason is told
  ['hot and typing', { ...typing, temperatureC: 99 }, {}, noon, null, 'paused: the machine is hot (99 °C)'],
  ['on battery and typing', { ...typing, ...discharging(1) }, {}, noon, null, 'paused: on battery'],
  ['out of hours and typing', typing, nights, noon, null, 'paused: no hours on wednesdays'],
  ['typing and others compute', { ...typing, cpuByOthers: 0.9 }, {}, noon, null, 'paused: you are typing'],
  [
    'nothing is known',
    {
      ...headless,
      cpuByOthers: null,
      cpuPressure: null,
      memoryPressure: null,
      battery: null,
      temperatureC: null,
      memory: null,
      freeDiskMiB: null,
    },
    {},
    noon,
    [4, 1],
    'computing: nothing speaks against it',
  ],
];

it.each(rows)('%s', (...row) => {
  const [, , , , allowed, reason] = row;
  expect(decided(row)).toEqual([allowed, reason]);
});
