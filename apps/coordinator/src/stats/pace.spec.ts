import { expect, it } from 'vitest';
import { Pace } from './pace.js';

it('leaves out what would take more than its share of the time, up to the longest pause', async () => {
  let nowMs = 0;
  let runs = 0;
  const pace = new Pace(30_000, () => nowMs);
  const runFor = async (durationMs: number): Promise<number> => {
    await pace.run(() => {
      runs += 1;
      nowMs += durationMs;
      return Promise.resolve();
    });
    return runs;
  };
  expect(await runFor(100)).toBe(1);
  expect(await runFor(200)).toBe(2);
  nowMs = 4_099;
  expect(await runFor(1)).toBe(2);
  nowMs = 4_100;
  expect(await runFor(5_000)).toBe(3);
  nowMs = 34_099;
  expect(await runFor(1)).toBe(3);
  nowMs = 34_100;
  expect(await runFor(1)).toBe(4);
});
