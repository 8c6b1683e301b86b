import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
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
    new RunningTime(onEnd).restart(25 * days);
    vi.advanceTimersByTime(24 * days);
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

describe('RunningTime of a machine that sleeps', () => {
  it('does not count the sleep', () => {
    const machine = aMachine();
    const onEnd = vi.fn();
    new RunningTime(onEnd).restart(2 * HOUR_MS);
    machine.runs(HOUR_MS);
    machine.sleeps(9 * HOUR_MS);
    machine.runs(HOUR_MS - 2 * MINUTE_MS);
    expect(onEnd).not.toHaveBeenCalled();
    machine.runs(3 * MINUTE_MS);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('does not count it where the limit is short', () => {
    const machine = aMachine();
    const onEnd = vi.fn();
    new RunningTime(onEnd).restart(MINUTE_MS);
    machine.runs(MINUTE_MS / 2);
    machine.sleeps(9 * HOUR_MS);
    machine.runs(MINUTE_MS / 3);
    expect(onEnd).not.toHaveBeenCalled();
    machine.runs(MINUTE_MS / 3);
    expect(onEnd).toHaveBeenCalledOnce();
  });

  it('does not count it where somebody stops it before its timer comes', () => {
    const machine = aMachine();
    const onEnd = vi.fn();
    const time = new RunningTime(onEnd);
    time.restart(2 * HOUR_MS);
    machine.stands(9 * HOUR_MS);
    time.setStopped(true);
    time.setStopped(false);
    machine.runs(HOUR_MS);
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

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Fake timers run in their order, as on a machine that is awake. After a sleep, all that are due come at once, and late. */
function aMachine() {
  let nowMs = 0;
  let timers: { readonly callback: () => void; readonly atMs: number }[] = [];
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  vi.stubGlobal('setTimeout', (callback: () => void, afterMs: number) => {
    const timer = { callback, atMs: nowMs + afterMs };
    timers.push(timer);
    return timer;
  });
  vi.stubGlobal('clearTimeout', (timer: unknown) => {
    timers = timers.filter((one) => one !== timer);
  });
  onTestFinished(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  const stands = (forMs: number): void => void (nowMs += forMs);
  const callDue = (): void => {
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due) callback();
  };
  return {
    /** It sleeps, and has not yet called what is due. */
    stands,
    sleeps(forMs: number) {
      stands(forMs);
      callDue();
    },
    runs(forMs: number) {
      const untilMs = nowMs + forMs;
      for (;;) {
        const nextMs = Math.min(...timers.map(({ atMs }) => atMs));
        if (nextMs > untilMs) break;
        nowMs = Math.max(nowMs, nextMs);
        callDue();
      }
      nowMs = untilMs;
    },
  };
}
