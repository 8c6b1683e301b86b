/** Counts the time for which one task computes, as far as it may: not while it fetches inputs, waits for a core or is paused. */
export class ComputingTime {
  #countedMs = 0;
  #countedActiveMs = 0;
  #share = 0;
  #sinceMs = 0;

  /** Milliseconds of a core so far. */
  get ms(): number {
    return this.#countedMs + this.#share * (performance.now() - this.#sinceMs);
  }

  /** Milliseconds so far in which it might compute at all, for whichever share of them. */
  get activeMs(): number {
    return this.#countedActiveMs + (this.#share > 0 ? performance.now() - this.#sinceMs : 0);
  }

  /** From now on it computes for this share (0 to 1) of the time; 0: not at all. */
  setShare(share: number): void {
    this.#countedMs = this.ms;
    this.#countedActiveMs = this.activeMs;
    this.#sinceMs = performance.now();
    this.#share = share;
  }
}
