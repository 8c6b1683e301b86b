/** What was written reaches the disk, and the bitmaps that name it, when nothing has come for so long, and at the latest then. */
const FLUSH_AFTER_MS = 5000;
const FLUSH_AT_LATEST_MS = 30_000;

/** Flushes when nothing more comes: a flush holds up whoever writes. */
export class FlushTimer {
  #timer: NodeJS.Timeout | undefined;
  /** Since when something waits to be flushed. */
  #unflushedSinceMs: number | undefined;
  #isOver = false;

  constructor(private readonly flush: () => Promise<void>) {}

  /** Something was written. */
  restart(): void {
    if (this.#isOver) return;
    const nowMs = performance.now();
    this.#unflushedSinceMs ??= nowMs;
    if (nowMs + FLUSH_AFTER_MS - this.#unflushedSinceMs > FLUSH_AT_LATEST_MS && this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#unflushedSinceMs = undefined;
      // What cannot be flushed now is flushed later, or fetched again after a crash.
      this.flush().catch(() => this.restart());
    }, FLUSH_AFTER_MS);
    this.#timer.unref();
  }

  /** Stopping twice is safe. */
  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
