interface Waits {
  /** After the first failure, in milliseconds; doubled with every other. */
  readonly least: number;
  readonly most: number;
}

const WAITS = {
  /** A peer that cannot be reached. */
  absent: { least: 2000, most: 30_000 },
  /** And one that was reached, but did not want this host or is not wanted here: it may have banned it, for a week. */
  unwanted: { least: 5000, most: 600_000 },
} as const satisfies Record<string, Waits>;
type Reason = keyof typeof WAITS;

const MAX_REMEMBERED = 1000;

/** Attempts on a peer that came to nothing, one after the other and for the same reason. */
interface Failures {
  readonly reason: Reason;
  readonly count: number;
  readonly retryAtMs: number;
}

/** When peers may be dialled again that could not be linked to. */
export class RedialTimes {
  readonly #failures = new Map<string, Failures>();

  constructor(private readonly now: () => number) {}

  isTooSoon(peerId: string): boolean {
    return this.now() < (this.#failures.get(peerId)?.retryAtMs ?? 0);
  }

  /** Attempts one after the other that came to nothing. */
  failures(peerId: string): number {
    return this.#failures.get(peerId)?.count ?? 0;
  }

  note(peerId: string, reason: Reason): void {
    const before = this.#failures.get(peerId);
    // Whoever was away for a night has not been unwanted for one.
    const count = before?.reason === reason ? before.count + 1 : 1;
    const { least, most } = WAITS[reason];
    this.#failures.delete(peerId);
    this.#failures.set(peerId, {
      reason,
      count,
      retryAtMs: this.now() + Math.min(least * 2 ** (count - 1), most),
    });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_REMEMBERED && oldest !== undefined) this.#failures.delete(oldest);
  }

  forget(peerId: string): void {
    this.#failures.delete(peerId);
  }
}
