export interface BatcherOptions<I> {
  /** Bound of a batch: items, or what they weigh together. A heavier item stands alone. */
  readonly maxItems: number;
  readonly weigh?: (item: I) => number;
  /** How long the first item of a batch waits for company. */
  readonly windowMs: number;
  /** Batches start at least this far apart unless they are full: what a batch costs by itself is shared by more items. */
  readonly intervalMs?: number;
  /**
   * Where batches take long they start further apart, but no further than this: a machine that is busy does more with few large
   * ones, and whoever waits for a slow batch waits less than behind many. Left out: always {@link intervalMs}.
   */
  readonly busyIntervalMs?: number;
  /** Batches that run at once; while as many run, items gather. */
  readonly concurrency: number;
  /** Items that may wait; beyond it submitting fails at once. */
  readonly maxWaiting: number;
}

/** Batches that take long start this many times as far apart as they take. */
const APART = 2;
/** Weight of the last batch among those before it: one that waited for a lock says little. */
const LAST_WEIGHT = 1 / 4;

/** More work waits already than can be done in reasonable time. */
export class BatcherOverloadedError extends Error {
  readonly code = 'server-busy';
}

interface Waiting<I, O> {
  readonly item: I;
  readonly resolve: (answer: O) => void;
  readonly reject: (error: unknown) => void;
}

/** Lets items that arrive within a short window share one call. `run` answers items in their order. */
export class Batcher<I, O> {
  private waiting: Array<Waiting<I, O>> = [];
  private running = 0;
  private startedAtMs = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  /** What batches took lately. */
  private tookMs = 0;

  constructor(
    private readonly run: (items: readonly I[]) => Promise<readonly O[]>,
    private readonly options: BatcherOptions<I>,
  ) {}

  submit(item: I): Promise<O> {
    if (this.waiting.length >= this.options.maxWaiting) {
      return Promise.reject(new BatcherOverloadedError(`${this.waiting.length} items wait already`));
    }
    return new Promise<O>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (this.running >= this.options.concurrency) return;
      if (this.waiting.length >= this.options.maxItems) this.flush();
      else this.timer ??= setTimeout(() => this.flush(), Math.max(this.options.windowMs, this.untilNextMs()));
    });
  }

  private untilNextMs(): number {
    const { intervalMs = 0, busyIntervalMs = intervalMs } = this.options;
    const apartMs = Math.max(intervalMs, Math.min(busyIntervalMs, APART * this.tookMs));
    return this.startedAtMs + apartMs - performance.now();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting.length === 0 || this.running >= this.options.concurrency) return;
    const batch = this.nextBatch();
    this.running += 1;
    this.startedAtMs = performance.now();
    void this.runBatch(batch, this.startedAtMs);
  }

  private nextBatch(): ReadonlyArray<Waiting<I, O>> {
    const { maxItems, weigh } = this.options;
    let weight = 0;
    let length = 0;
    for (const { item } of this.waiting) {
      weight += weigh ? weigh(item) : 1;
      if (length > 0 && weight > maxItems) break;
      length += 1;
    }
    const batch = this.waiting.slice(0, length);
    this.waiting = this.waiting.slice(length);
    return batch;
  }

  private async runBatch(batch: ReadonlyArray<Waiting<I, O>>, startedAtMs: number): Promise<void> {
    try {
      const answers = await this.run(batch.map(({ item }) => item));
      for (const [at, { resolve, reject }] of batch.entries()) {
        if (at < answers.length)
          resolve(answers[at] as O); // `as`: within bounds; O may include undefined
        else reject(new Error('the batch answered fewer items than it was given'));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.running -= 1;
      this.tookMs += (performance.now() - startedAtMs - this.tookMs) * LAST_WEIGHT;
      // What gathered meanwhile has waited long enough, unless batches would follow each other too closely.
      const waitMs = this.untilNextMs();
      if (waitMs <= 0 || this.waiting.length >= this.options.maxItems) this.flush();
      else if (this.waiting.length > 0) this.timer ??= setTimeout(() => this.flush(), waitMs);
    }
  }
}
