const HALF_LIFE_MS = 1000;

/** Bytes per second with exponential forgetting (half-life one second), bias-corrected while young. */
export class RateMeter {
  #weighted = 0;
  #weight = 0;
  #atMs: number;
  #pending = 0;
  /** Bytes since the start. */
  total = 0;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  add(bytes: number): void {
    this.#pending += bytes;
    this.total += bytes;
  }

  /** Bytes per second as of now; 0 before anything could be measured. */
  perSecond(nowMs: number): number {
    const elapsedMs = nowMs - this.#atMs;
    // Short steps are gathered: a block that arrives 1 ms after another is no 64 MB/s.
    if (elapsedMs >= 50) {
      const keep = 0.5 ** (elapsedMs / HALF_LIFE_MS);
      this.#weighted = this.#weighted * keep + (this.#pending / elapsedMs) * 1000 * (1 - keep);
      this.#weight = this.#weight * keep + (1 - keep);
      this.#pending = 0;
      this.#atMs = nowMs;
    }
    return this.#weight === 0 ? 0 : this.#weighted / this.#weight;
  }
}
