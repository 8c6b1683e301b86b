/** Calls back once a bounded running time is used up; while stopped, no time passes. */
export class RunningTime {
  readonly #onEnd: () => void;
  #leftMs = 0;
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
      this.#leftMs -= performance.now() - this.#startedAt;
      this.#disarm();
    } else {
      this.#startedAt = performance.now();
      this.#arm();
    }
  }

  #arm(): void {
    const longestTimerMs = 2 ** 31 - 1;
    this.#timer = setTimeout(
      () => {
        this.#leftMs -= longestTimerMs;
        this.#startedAt = performance.now();
        if (this.#leftMs <= 0) this.#onEnd();
        else this.#arm();
      },
      Math.min(Math.max(0, this.#leftMs), longestTimerMs),
    );
  }

  #disarm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
