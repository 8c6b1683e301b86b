import { expect, it } from 'vitest';
import { testRedisUrl } from '../support/index.js';
import { playHistory } from './histories/history.js';

/** `GLEANER_HISTORIES=100-120` plays others. */
const [first = 1, last = first] = (process.env['GLEANER_HISTORIES'] ?? '1-3').split('-').map(Number);
const SEEDS = Array.from({ length: last - first + 1 }, (_, n) => first + n);
const SIZE = { volunteers: 12, actions: 12 };

it.each(SEEDS)(
  'whatever two coordinators go through at the same time, every promise is kept (history %i)',
  async (seed) => {
    // Each third one has its queues on Postgres.
    const redis = testRedisUrl() !== null && seed % 3 !== 0;
    expect(await playHistory({ seed, redis, ...SIZE })).toEqual([]);
  },
  300_000,
);
