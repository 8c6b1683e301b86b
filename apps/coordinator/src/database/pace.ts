import { setTimeout as delay } from 'node:timers/promises';

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
  /** Hands on the items, and waits between two of them as long as is fair after using the one and making the other. */
  between<T>(items: AsyncIterable<T>): AsyncIterable<T>;
}

/** For whoever waits for the end of it. */
export const AT_ONCE: Pace = { portion: (work) => work(), between: (items) => items };

/** Pauses in proportion to what each portion took, so that all of them together have no more than their share of the time. */
export class FairPace implements Pace {
  private freeMs = FREE_MS;
  /** Up to when everything has been made up for: what is within something else counts once. */
  private settledToMs = Number.NEGATIVE_INFINITY;

  constructor(
    /** Of the time, from 0 to 1. */
    private readonly share: number,
    readonly signal: AbortSignal,
    private readonly nowMs: () => number = () => performance.now(),
    private readonly wait: (pauseMs: number, signal: AbortSignal) => Promise<unknown> = (pauseMs, signal) =>
      delay(pauseMs, undefined, { signal }),
  ) {}

  async portion<T>(work: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const startMs = this.nowMs();
    const done = await work();
    await this.restAfter(startMs);
    return done;
  }

  async *between<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    let arrivedMs: number | null = null;
    for await (const item of items) {
      if (arrivedMs !== null) await this.restAfter(arrivedMs);
      this.signal.throwIfAborted();
      arrivedMs = this.nowMs();
      yield item;
    }
  }

  private async restAfter(startMs: number): Promise<void> {
    const tookMs = this.nowMs() - Math.max(startMs, this.settledToMs);
    const costlyMs = Math.max(0, tookMs - this.freeMs);
    this.freeMs = Math.max(0, this.freeMs - tookMs);
    if (costlyMs > 0) await this.pause(Math.min(PAUSE_MAX_MS, costlyMs * (1 / this.share - 1)));
    this.settledToMs = this.nowMs();
  }

  /** @throws the signal's reason, where timers have an error of their own */
  private async pause(pauseMs: number): Promise<void> {
    try {
      await this.wait(pauseMs, this.signal);
    } catch (error) {
      this.signal.throwIfAborted();
      throw error;
    }
  }
}
