/** A name and until when it counts, in milliseconds since 1970. */
export type ExpiringName = readonly [name: string, untilMs: number];

/**
 * Names that count until a moment of their own; those that end first leave first where there are too many. Adding one to many
 * thousands looks at few of them.
 */
export class ExpiringNames {
  readonly #untilMs = new Map<string, number>();
  /** By when they end, of equals the longest known first; a name whose end has changed since is in it twice. */
  #inOrder: ExpiringName[] = [];

  /** @param now milliseconds since 1970: what is kept outlives the process */
  constructor(
    private readonly most: number,
    private readonly now: () => number = Date.now,
    entries: Iterable<ExpiringName> = [],
  ) {
    for (const [name, untilMs] of entries) this.add(name, untilMs);
  }

  add(name: string, untilMs: number): void {
    if (untilMs <= this.now() || this.#untilMs.get(name) === untilMs) return;
    this.#untilMs.set(name, untilMs);
    this.#inOrder.splice(this.#placeOf(untilMs), 0, [name, untilMs]);
    if (this.#inOrder.length > this.most) this.#makeRoom();
  }

  has(name: string): boolean {
    return (this.#untilMs.get(name) ?? 0) > this.now();
  }

  /** Those that still count, the first to end first. */
  get entries(): ExpiringName[] {
    const nowMs = this.now();
    return this.#inOrder.filter((entry) => entry[1] > nowMs && this.#isCurrent(entry));
  }

  /** Lets go of what has ended or changed, and of the first to end where that is not enough. */
  #makeRoom(): void {
    const nowMs = this.now();
    let leaving = 0;
    for (const entry of this.#inOrder) {
      const [name, untilMs] = entry;
      if (untilMs > nowMs && this.#isCurrent(entry) && this.#untilMs.size <= this.most) break;
      if (this.#isCurrent(entry)) this.#untilMs.delete(name);
      leaving += 1;
    }
    this.#inOrder.splice(0, leaving);
    if (this.#inOrder.length > 2 * this.most)
      this.#inOrder = this.#inOrder.filter((entry) => this.#isCurrent(entry));
  }

  #isCurrent([name, untilMs]: ExpiringName): boolean {
    return this.#untilMs.get(name) === untilMs;
  }

  /** Behind all that end no later: mostly the last place. */
  #placeOf(untilMs: number): number {
    let [low, high] = [0, this.#inOrder.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#inOrder[middle]?.[1] ?? 0) <= untilMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
