export interface RateDecision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends. */
  readonly resetSeconds: number;
}

interface Window {
  used: number;
  readonly endsAtMs: number;
}

/** Counts requests of each caller in fixed windows. Remembers at most `maxCallers`; beyond, the oldest window is dropped. */
export class RateLimiter {
  private readonly windows = new Map<string, Window>();

  constructor(
    readonly limit: number,
    readonly windowMs: number,
    private readonly maxCallers = 100_000,
    /** Milliseconds of a clock that nobody can set: with the machine's own, set back, windows would not end for hours. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  take(caller: string): RateDecision {
    const now = this.now();
    let window = this.windows.get(caller);
    if (!window || window.endsAtMs <= now) {
      window = { used: 0, endsAtMs: now + this.windowMs };
      this.windows.delete(caller);
      this.windows.set(caller, window);
      this.dropOldest();
    }
    const allowed = window.used < this.limit;
    if (allowed) window.used += 1;
    return {
      allowed,
      limit: this.limit,
      remaining: this.limit - window.used,
      resetSeconds: Math.max(1, Math.ceil((window.endsAtMs - now) / 1000)),
    };
  }

  private dropOldest(): void {
    if (this.windows.size <= this.maxCallers) return;
    const oldest = this.windows.keys().next();
    if (!oldest.done) this.windows.delete(oldest.value);
  }
}
