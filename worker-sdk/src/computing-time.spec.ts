import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ComputingTime } from './computing-time.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'], now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

it('computing time counts what a task has of a core, and nothing while it is fetched or paused', () => {
  const computing = new ComputingTime();
  vi.advanceTimersByTime(60_000);
  expect(computing.ms).toBe(0);
  computing.setShare(1);
  vi.advanceTimersByTime(2_000);
  expect(computing.ms).toBe(2_000);
  computing.setShare(0);
  vi.advanceTimersByTime(3_600_000);
  computing.setShare(0.25);
  vi.advanceTimersByTime(4_000);
  expect(computing.ms).toBe(3_000);
  expect(computing.activeMs).toBe(6_000);
});
