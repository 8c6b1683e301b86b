/**
 * What of a sleep is counted at most. A timer that comes later than this was not slow: the machine, or this process, stood still
 * meanwhile, also where the whole limit is a minute.
 */
const SLICE_MS = 5_000;

/**
 * Calls back once a bounded running time is used up; while stopped, no time passes. Nor does it while the machine sleeps: what is
 * to run within the limit sleeps as well.
 */
export class RunningTime {
  readonly #onEnd: () => void;
  #leftMs = 0;
  #sliceMs = 0;
  #startedAt: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Begins to count a new limit. */
  restart(limitMs: number): void {
    this.end();
    this.#leftMs = limitMs;
    this.#startedAt = performance.now();
    if (!this.#isStopped) this.#arm();
  }

  end(): void {
    this.#disarm();
    this.#startedAt = null;
  }

  setStopped(isStopped: boolean): void {
    if (isStopped === this.#isStopped) return;
    this.#isStopped = isStopped;
    if (this.#startedAt === null) return;
    if (isStopped) {
      this.#leftMs -= Math.min(this.#sliceMs, performance.now() - this.#startedAt);
      this.#disarm();
    } else {
      this.#arm();
    }
  }

  /** Of a slice no more than its own length is counted, however late its timer comes. */
  #arm(): void {
    this.#startedAt = performance.now();
    this.#sliceMs = Math.min(Math.max(0, this.#leftMs), SLICE_MS);
    this.#timer = setTimeout(() => {
      this.#leftMs -= this.#sliceMs;
      if (this.#leftMs <= 0) this.#onEnd();
      else this.#arm();
    }, this.#sliceMs);
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
