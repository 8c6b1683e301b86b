import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DutyCycle } from './duty-cycle.js';
import { RunningTime } from './running-time.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('RunningTime', () => {
  it('ends when its limit has run, not counting the time in which it was stopped', () => {
    const onEnd = vi.fn();
    const time = new RunningTime(onEnd);
    time.restart(100);
    vi.advanceTimersByTime(60);
    time.setStopped(true);
    vi.advanceTimersByTime(10_000);
    time.setStopped(false);
    vi.advanceTimersByTime(39);
    expect(onEnd).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('counts limits longer than a timer can wait', () => {
    const onEnd = vi.fn();
    const days = 24 * 3600 * 1000;
    new RunningTime(onEnd).restart(60 * days);
    vi.advanceTimersByTime(59 * days);
    expect(onEnd).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1 * days);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('begins anew with each limit, and not at all after its end', () => {
    const onEnd = vi.fn();
    const time = new RunningTime(onEnd);
    time.setStopped(true);
    time.restart(10);
    vi.advanceTimersByTime(1000);
    time.setStopped(false);
    time.restart(50);
    vi.advanceTimersByTime(40);
    time.end();
    vi.advanceTimersByTime(1000);
    expect(onEnd).not.toHaveBeenCalled();
  });
});

describe('DutyCycle', () => {
  it('rests for the rest of each period', () => {
    const changes: [atMs: number, isResting: boolean][] = [];
    const cycle = new DutyCycle(() => changes.push([performance.now() - start, cycle.isResting]));
    const start = performance.now();
    cycle.setShare(0.2);
    vi.advanceTimersByTime(1200);
    expect(changes).toEqual([
      [100, true],
      [500, false],
      [600, true],
      [1000, false],
      [1100, true],
    ]);
    cycle.setShare(1);
    expect(cycle.isResting).toBe(false);
    vi.advanceTimersByTime(5000);
    expect(changes).toHaveLength(6);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a share of %d', (share) => {
    expect(() => new DutyCycle(() => {}).setShare(share)).toThrow(RangeError);
  });
});
