import { SWARM_LIMITS } from '@gleaner/protocol';
import { ExpiringNames, type ExpiringName } from './expiring-names.js';

const MAX_REMEMBERED = 1000;
/** As long as a certificate may count: whoever is let in again then has been looked at anew. */
const BAN_MS = SWARM_LIMITS.certificateSeconds * 1000;
/** Who was left over a fault is kept away for this, doubled with every further one. */
const COOLING_MS = { least: 30_000, most: 600_000 };

interface Cooling {
  readonly faults: number;
  readonly untilMs: number;
}

/**
 * Which peers are not dealt with, for days or for a while. A host may make itself new peer ids, but its certificate's pseudonym
 * stays the same: both count.
 */
export class PeerStanding {
  readonly #banned: ExpiringNames;
  /** Peer ids that were banned since the start, for those who are told. */
  readonly #caught = new Set<string>();
  /** By peer id and by pseudonym. */
  readonly #cooling = new Map<string, Cooling>();

  /**
   * @param now milliseconds from a clock that never goes back
   * @param bans of an earlier run
   * @param calendarNow milliseconds since 1970
   */
  constructor(
    private readonly now: () => number,
    bans: Iterable<ExpiringName> = [],
    private readonly calendarNow: () => number = Date.now,
  ) {
    this.#banned = new ExpiringNames(2 * MAX_REMEMBERED, calendarNow, bans);
  }

  /** Peer ids that were banned since the start, the longest banned first. */
  get bannedPeers(): readonly string[] {
    return [...this.#caught];
  }

  /** Banned peer ids and pseudonyms, for the next run. */
  get bans(): readonly ExpiringName[] {
    return this.#banned.entries;
  }

  ban(peerId: string, host: string | undefined): void {
    const untilMs = this.calendarNow() + BAN_MS;
    for (const name of host === undefined ? [peerId] : [peerId, host]) this.#banned.add(name, untilMs);
    this.#caught.delete(peerId);
    this.#caught.add(peerId);
    for (const oldest of this.#caught) {
      if (this.#caught.size <= MAX_REMEMBERED) return;
      this.#caught.delete(oldest);
    }
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

  /** Whether a link to this peer may be used now. */
  isWelcome(peerId: string, host?: string): boolean {
    if (this.#banned.has(peerId) || (host !== undefined && this.#banned.has(host))) return false;
    return !this.#isCooling(peerId) && !(host !== undefined && this.#isCooling(host));
  }

  #isCooling(key: string): boolean {
    return this.now() < (this.#cooling.get(key)?.untilMs ?? 0);
  }
}
