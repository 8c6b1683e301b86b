/** Most peers that one announce is answered with: enough to be well connected, few enough for any connection table. */
export const PEERS_PER_ANSWER = 30;
/** Kept for peers elsewhere, so that a swarm does not fall apart into its networks. */
const ELSEWHERE_PEERS = 10;

const MIN_INTERVAL_MS = 1_000;
const QUIET_INTERVAL_MS = 5_000;
const SEED_INTERVAL_MS = 15_000;
const MAX_INTERVAL_MS = 300_000;
/** Twenty announces a second of one swarm are welcome; larger swarms announce less often. */
const INTERVAL_PER_PEER_MS = 50;

export interface PeerPlace {
  readonly peerId: string;
  /** As {@link networkPrefix} gives it: /24 or /48. */
  readonly network: string | null;
  /** As {@link regionPrefix} gives it: /16 or /32. */
  readonly region: string | null;
}

/** `a.b.0.0/16` of IPv4, `a:b::/32` of IPv6: roughly what belongs to one provider. Takes what `networkPrefix` returns. */
export function regionPrefix(network: string | null): string | null {
  if (network === null) return null;
  const v4 = /^(\d+\.\d+)\./.exec(network);
  if (v4) return `${v4[1]}.0.0/16`;
  const v6 = /^([0-9a-f]+:[0-9a-f]+):/.exec(network);
  return v6 ? `${v6[1]}::/32` : null;
}

/**
 * Whom a peer should know: first those of its own network, then of its provider, then others, each in random order; a part is
 * kept for others.
 *
 * @param random uniform in [0, 1)
 */
export function choosePeers<T extends PeerPlace>(
  self: PeerPlace,
  candidates: readonly T[],
  random: () => number,
  most: number = PEERS_PER_ANSWER,
): T[] {
  const near: T[] = [];
  const regional: T[] = [];
  const far: T[] = [];
  const seen = new Set([self.peerId]);
  for (const candidate of shuffled(candidates, random)) {
    if (seen.has(candidate.peerId)) continue;
    seen.add(candidate.peerId);
    if (self.network !== null && candidate.network === self.network) near.push(candidate);
    else if (self.region !== null && candidate.region === self.region) regional.push(candidate);
    else far.push(candidate);
  }
  const reserved = Math.min(far.length, ELSEWHERE_PEERS, most);
  const close = [...near, ...regional].slice(0, most - reserved);
  return [...close, ...far].slice(0, most);
}

/**
 * How long a peer waits before it announces itself again, in milliseconds: longer in large swarms, and where nothing changes.
 */
export function announceIntervalMs(swarm: {
  readonly peers: number;
  readonly isComplete: boolean;
  /** The peer has got nothing new since its last announce. */
  readonly isQuiet: boolean;
}): number {
  const least = swarm.isComplete ? SEED_INTERVAL_MS : swarm.isQuiet ? QUIET_INTERVAL_MS : MIN_INTERVAL_MS;
  return Math.min(MAX_INTERVAL_MS, Math.max(least, swarm.peers * INTERVAL_PER_PEER_MS));
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    const [a, b] = [order[at], order[other]];
    if (a === undefined || b === undefined) continue;
    order[at] = b;
    order[other] = a;
  }
  return order;
}
