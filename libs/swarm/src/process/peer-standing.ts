const MAX_REMEMBERED = 1000;
/** Who was left over a fault is kept away for this, doubled with every further one. */
const COOLING_MS = { least: 30_000, most: 600_000 };

interface Cooling {
  readonly faults: number;
  readonly untilMs: number;
}

/**
 * Which peers are not dealt with, for good or for a while. A host may make itself new peer ids, but its certificate's pseudonym stays
 * the same: both count.
 */
export class PeerStanding {
  readonly #bannedPeers = new Set<string>();
  readonly #bannedHosts = new Set<string>();
  /** By peer id and by pseudonym. */
  readonly #cooling = new Map<string, Cooling>();

  /** @param now milliseconds from a clock that never goes back */
  constructor(private readonly now: () => number) {}

  /** Peer ids, the longest banned first. */
  get bannedPeers(): readonly string[] {
    return [...this.#bannedPeers];
  }

  ban(peerId: string, host: string | undefined): void {
    remember(this.#bannedPeers, peerId);
    if (host !== undefined) remember(this.#bannedHosts, host);
  }

  /** Keeps away whoever broke the rules without proof of ill will: an old or unlucky peer may come back later. */
  cool(peerId: string, host: string | undefined): void {
    for (const key of [peerId, ...(host === undefined ? [] : [host])]) {
      const faults = (this.#cooling.get(key)?.faults ?? 0) + 1;
      const waitMs = Math.min(COOLING_MS.least * 2 ** (faults - 1), COOLING_MS.most);
      this.#cooling.delete(key);
      this.#cooling.set(key, { faults, untilMs: this.now() + waitMs });
    }
    for (const oldest of this.#cooling.keys()) {
      if (this.#cooling.size <= MAX_REMEMBERED) return;
      this.#cooling.delete(oldest);
    }
  }

  isBanned(peerId: string): boolean {
    return this.#bannedPeers.has(peerId);
  }

  /** Whether a link to this peer may be used now. */
  isWelcome(peerId: string, host?: string): boolean {
    if (this.#bannedPeers.has(peerId) || (host !== undefined && this.#bannedHosts.has(host))) return false;
    return !this.#isCooling(peerId) && !(host !== undefined && this.#isCooling(host));
  }

  #isCooling(key: string): boolean {
    return this.now() < (this.#cooling.get(key)?.untilMs ?? 0);
  }
}

function remember(set: Set<string>, key: string): void {
  set.delete(key);
  set.add(key);
  for (const oldest of set) {
    if (set.size <= MAX_REMEMBERED) return;
    set.delete(oldest);
  }
}
