import { setTimeout as delay } from 'node:timers/promises';

/** Where thousands earn at once, counting is costly: it takes no more than this share of the time. */
const MAX_SHARE = 1 / 30;
/** What takes no longer than this in all is done without pauses. */
const FREE_MS = 100;
/** A portion may have taken long because others were in its way. */
const PAUSE_MAX_MS = 1_000;

/** Does something long in portions, so that whoever waits for an answer of the same database never waits for all of it. */
export interface Pace {
  /** Aborts where it is to stop before its end. */
  readonly signal?: AbortSignal;
  /** Does the next portion, and then waits as long as is fair; throws the signal's reason once that is aborted. */
  portion<T>(work: () => Promise<T>): Promise<T>;
}

/** For whoever waits for the end of it. */
export const AT_ONCE: Pace = { portion: (work) => work() };

/** Pauses in proportion to what each portion took. */
export class FairPace implements Pace {
  private freeMs = FREE_MS;

  constructor(
    readonly signal: AbortSignal,
    private readonly nowMs: () => number = () => performance.now(),
    private readonly wait: (pauseMs: number, signal: AbortSignal) => Promise<unknown> = (pauseMs, signal) =>
      delay(pauseMs, undefined, { signal }),
  ) {}

  async portion<T>(work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const startMs = this.nowMs();
    const done = await work();
    const tookMs = this.nowMs() - startMs;
    const costlyMs = Math.max(0, tookMs - this.freeMs);
    this.freeMs = Math.max(0, this.freeMs - tookMs);
    if (costlyMs > 0) await this.wait(Math.min(PAUSE_MAX_MS, costlyMs * (1 / MAX_SHARE - 1)), this.signal);
    return done;
  }
}

export interface StrideBounds {
  readonly leastMs: number;
  readonly mostMs: number;
  /** Where there were more than this, the next portion is smaller; where there were less than a quarter of it, larger. */
  readonly mostRows: number;
}

/** How much time of the ledger to take at once, learned from how many entries that had: portions of about equal cost. */
export class Stride {
  constructor(
    private currentMs: number,
    private readonly bounds: StrideBounds,
  ) {}

  get ms(): number {
    return this.currentMs;
  }

  learn(rows: number): void {
    const { leastMs, mostMs, mostRows } = this.bounds;
    const factor = rows < mostRows / 4 ? 2 : rows > mostRows ? 0.5 : 1;
    this.currentMs = Math.min(mostMs, Math.max(leastMs, this.currentMs * factor));
  }
}
