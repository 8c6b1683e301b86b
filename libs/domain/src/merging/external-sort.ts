import { piecesOfLines } from './line-batches.js';
import type { MergeOrder } from './merge-order.js';
import { mergeRuns } from './merge-runs.js';
import type { RunStore, StoredRun } from './run-store.js';

/** What an item costs beside its line's bytes: objects, keys and array slots, roughly. */
const ITEM_OVERHEAD_BYTES = 256;

export interface ExternalSortOptions {
  readonly runs: RunStore;
  /** Items held in memory, in bytes, before a run is set aside. */
  readonly bufferBytes: number;
  /** Runs that are merged at once; as many pieces are held while merging. At least 2. */
  readonly fanIn: number;
  readonly signal?: AbortSignal;
}

/**
 * Sorts any number of lines in bounded memory, combining equals as early as possible (Knuth, TAOCP 3, 5.4): sorted runs
 * are set aside and merged. Use: `add` everything, then read `sorted` once, then `close`.
 */
export class ExternalSort<T> {
  private held: T[] = [];
  private heldBytes = 0;
  private runs: StoredRun[] = [];

  constructor(
    private readonly order: MergeOrder<T>,
    private readonly options: ExternalSortOptions,
  ) {
    if (options.fanIn < 2) throw new RangeError('fanIn must be at least 2');
  }

  /**
   * Holds a line; follow it by {@link makeRoom} once the sort {@link isFull}.
   *
   * @throws {LineRefusedError} for a line that the order refuses
   */
  add(line: Uint8Array): void {
    this.held.push(this.order.parse(line));
    this.heldBytes += line.length + ITEM_OVERHEAD_BYTES;
  }

  get isFull(): boolean {
    return this.heldBytes > this.options.bufferBytes;
  }

  /** Combines what is held, and sets it aside where that is not enough. */
  async makeRoom(): Promise<void> {
    this.sortHeld();
    this.heldBytes = 0;
    for (const item of this.held) this.heldBytes += this.order.lineOf(item).length + ITEM_OVERHEAD_BYTES;
    // Sums of few keys combine into almost nothing: no run is needed then.
    if (this.heldBytes > this.options.bufferBytes / 2) await this.setAside();
  }

  /** All lines in order. */
  async *sorted(): AsyncGenerator<Uint8Array> {
    this.sortHeld();
    if (this.runs.length === 0) {
      for (const item of this.held) yield this.order.lineOf(item);
      return;
    }
    await this.setAside();
    for await (const item of mergeRuns(this.runs, this.order, this.options.signal))
      yield this.order.lineOf(item);
  }

  /** Discards the runs; to be called however it ended. */
  async close(): Promise<void> {
    this.held = [];
    for (const run of this.runs.splice(0)) await run.discard();
  }

  private sortHeld(): void {
    const { order } = this;
    this.held.sort((a, b) => order.compare(a, b));
    if (!order.combine) return;
    const combined: T[] = [];
    for (const item of this.held) {
      const last = combined.at(-1);
      if (last !== undefined && order.compare(last, item) === 0) {
        combined[combined.length - 1] = order.combine(last, item);
      } else combined.push(item);
    }
    this.held = combined;
  }

  private async setAside(): Promise<void> {
    const { runs, fanIn, signal } = this.options;
    if (this.held.length > 0) {
      const held = this.held;
      this.held = [];
      this.heldBytes = 0;
      this.runs.push(await runs.write(piecesOfLines(linesOf(held, this.order)), signal));
    }
    if (this.runs.length < fanIn) return;
    const merged = mergeRuns(this.runs, this.order, signal);
    const run = await runs.write(piecesOfLines(linesOf(merged, this.order)), signal);
    for (const old of this.runs.splice(0, this.runs.length, run)) await old.discard();
  }
}

async function* linesOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  order: MergeOrder<T>,
): AsyncGenerator<Uint8Array> {
  for await (const item of items) yield order.lineOf(item);
}
