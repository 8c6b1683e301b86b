import { expect, it } from 'vitest';
import { FairPace } from './pace.js';

it('pauses in proportion to what a portion took beyond what is free, but never for long', async () => {
  let nowMs = 0;
  const pauses: number[] = [];
  const pace = new FairPace(
    1 / 30,
    new AbortController().signal,
    () => nowMs,
    (pauseMs) => {
      pauses.push(Math.round(pauseMs));
      return Promise.resolve();
    },
  );
  const take = (ms: number): Promise<string> =>
    pace.portion(() => {
      nowMs += ms;
      return Promise.resolve(`after ${nowMs}`);
    });
  expect(await take(60)).toBe('after 60');
  await take(40);
  expect(pauses).toEqual([]);
  await take(10);
  await take(20);
  await take(5_000);
  expect(pauses).toEqual([290, 580, 1_000]);
});

it('begins no portion, and waits no longer, once it is to stop', async () => {
  const stopping = new AbortController();
  let portions = 0;
  const pace = new FairPace(1, stopping.signal);
  await pace.portion(() => Promise.resolve((portions += 1)));
  stopping.abort(new Error('the end'));
  await expect(pace.portion(() => Promise.resolve((portions += 1)))).rejects.toThrow('the end');
  expect(portions).toBe(1);
});
