import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach } from 'vitest';

const DAY_MS = 86_400_000;
/** What no test takes between earning something and looking at what was earned today. */
const LONG_ENOUGH_MS = 30_000;

/**
 * Allowances, boards and statistics are counted by UTC days, and what happens on both sides of midnight is counted for two:
 * no test begins on a day that is about to end.
 */
beforeEach(async () => {
  const leftMs = DAY_MS - (Date.now() % DAY_MS);
  if (leftMs < LONG_ENOUGH_MS) await delay(leftMs);
});
