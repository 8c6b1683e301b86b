/** So much is freed before another unit begins, which would come on top of it. */
const MUCH_BYTES = 128 * 1024 * 1024;
/** The next unit usually comes sooner than this; a sandbox that has had none for so long has time. */
const IDLE_MS = 1_000;

/**
 * Memory that ended units have left to the engine's collector. It comes too late by itself: a unit may use all of the memory that
 * it may while as much of the unit before is still there, and a sandbox without work keeps that of its last unit for days.
 */
export class LeftMemory {
  readonly #collect: (() => void) | undefined;
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param collect frees what nobody uses any more; absent where the platform has no such call */
  constructor(collect: (() => void) | undefined) {
    this.#collect = collect;
  }

  /** A unit that had so much memory has ended. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A unit begins. */
  beforeUnit(): void {
    clearTimeout(this.#timer);
    if (this.#bytes >= MUCH_BYTES) this.#free();
  }

  /** There is nothing to do for now. */
  whenIdle(): void {
    clearTimeout(this.#timer);
    if (this.#bytes > 0) this.#timer = setTimeout(() => this.#free(), IDLE_MS);
  }

  #free(): void {
    this.#bytes = 0;
    this.#collect?.();
  }
}
