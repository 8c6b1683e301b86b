/** A fake clock that jumps from one thing to do to the next. */
export class SimulatedTime {
  nowMs = 0;
  #queue: Array<{ readonly atMs: number; readonly run: () => void }> = [];

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  at(atMs: number, run: () => void): void {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      // Events of one instant keep their order: links deliver in order.
      if ((this.#queue[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, { atMs, run });
  }

  /** Does the next thing; false when there is none until `limitMs`. */
  advance(limitMs: number): boolean {
    const next = this.#queue.shift();
    if (!next || next.atMs > limitMs) return false;
    this.nowMs = next.atMs;
    next.run();
    return true;
  }
}

/** mulberry32: small, seeded, good enough to break ties. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
