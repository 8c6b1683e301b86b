import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AnswerWatch } from './answer-watch.js';

const TWO_LOOKS_IN_VAIN_MS = 6_000;

const watches: AnswerWatch[] = [];

function aWatch(
  ask: () => Promise<unknown>,
  onError: (error: unknown) => void = () => undefined,
): AnswerWatch {
  const watch = new AnswerWatch(ask, onError);
  watches.push(watch);
  return watch;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const watch of watches.splice(0)) watch.stop();
  vi.useRealTimers();
});

it('takes for silent what left two looks without an answer, until it answers', async () => {
  const answer = Promise.withResolvers<void>();
  const watch = aWatch(() => answer.promise);
  await vi.advanceTimersByTimeAsync(TWO_LOOKS_IN_VAIN_MS - 1);
  expect(watch.isSilent).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(watch.isSilent).toBe(true);
  answer.resolve();
  await vi.advanceTimersByTimeAsync(0);
  expect(watch.isSilent).toBe(false);
});

it('takes nothing for silent that refuses, and tells of that', async () => {
  const told = vi.fn();
  const refusal = new Error('read-only');
  const watch = aWatch(() => Promise.reject(refusal), told);
  await vi.advanceTimersByTimeAsync(2 * TWO_LOOKS_IN_VAIN_MS);
  expect(watch.isSilent).toBe(false);
  expect(told).toHaveBeenCalledWith(refusal);
});

it('asks once while nothing answers, whoever wants to know', async () => {
  const ask = vi.fn(() => Promise.withResolvers<void>().promise);
  const watch = aWatch(ask);
  const answered = [watch.answersWithin(100), watch.answersWithin(100)];
  await vi.advanceTimersByTimeAsync(TWO_LOOKS_IN_VAIN_MS);
  expect(await Promise.all(answered)).toEqual([false, false]);
  expect(ask).toHaveBeenCalledOnce();
});
