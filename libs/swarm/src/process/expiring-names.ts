/** A name and until when it counts, in milliseconds since 1970. */
export type ExpiringName = readonly [name: string, untilMs: number];

/** Names that count until a moment of their own; the longest known leave first where there are too many. */
export class ExpiringNames {
  readonly #untilMs = new Map<string, number>();

  /** @param now milliseconds since 1970: what is kept outlives the process */
  constructor(
    private readonly most: number,
    private readonly now: () => number = Date.now,
    entries: Iterable<ExpiringName> = [],
  ) {
    for (const [name, untilMs] of entries) if (untilMs > now()) this.add(name, untilMs);
  }

  add(name: string, untilMs: number): void {
    this.#untilMs.delete(name);
    this.#untilMs.set(name, untilMs);
    if (this.#untilMs.size <= this.most) return;
    for (const [old, endMs] of this.#untilMs) if (endMs <= this.now()) this.#untilMs.delete(old);
    for (const oldest of this.#untilMs.keys()) {
      if (this.#untilMs.size <= this.most) return;
      this.#untilMs.delete(oldest);
    }
  }

  has(name: string): boolean {
    return (this.#untilMs.get(name) ?? 0) > this.now();
  }

  /** Those that still count, the longest known first. */
  get entries(): ExpiringName[] {
    return [...this.#untilMs].filter(([, untilMs]) => untilMs > this.now());
  }
}
