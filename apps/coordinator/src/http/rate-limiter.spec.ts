import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RateLimiter } from './rate-limiter.js';

let nowMs: number;
const clock = (): number => nowMs;
beforeEach(() => {
  nowMs = 1_000_000;
});
afterEach(() => void vi.useRealTimers());

describe('the rate limiter', () => {
  it('allows so many in a window, says how many are left, and begins anew after it', () => {
    const limiter = new RateLimiter(2, 60_000, 10, clock);
    expect(limiter.take('a')).toEqual({ allowed: true, limit: 2, remaining: 1, resetSeconds: 60 });
    nowMs += 30_000;
    expect(limiter.take('a')).toEqual({ allowed: true, limit: 2, remaining: 0, resetSeconds: 30 });
    expect(limiter.take('a')).toMatchObject({ allowed: false, remaining: 0 });
    nowMs += 30_000;
    expect(limiter.take('a')).toMatchObject({ allowed: true, remaining: 1 });
  });

  it('ends a window in time where the machine’s clock is set back meanwhile', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    const limiter = new RateLimiter(1, 60_000);
    limiter.take('a');
    vi.setSystemTime(Date.now() - 2 * 3_600_000);
    expect(limiter.take('a')).toMatchObject({ allowed: false, resetSeconds: 60 });
    vi.advanceTimersByTime(60_000);
    expect(limiter.take('a').allowed).toBe(true);
  });

  it('counts each caller for itself', () => {
    const limiter = new RateLimiter(1, 60_000, 10, clock);
    limiter.take('a');
    expect(limiter.take('b').allowed).toBe(true);
  });

  it('remembers no more callers than it may: the one whose window is oldest is forgotten', () => {
    const limiter = new RateLimiter(1, 60_000, 2, clock);
    for (const caller of ['a', 'b', 'c']) limiter.take(caller);
    expect(limiter.take('c').allowed).toBe(false);
    expect(limiter.take('a').allowed).toBe(true);
  });
});
