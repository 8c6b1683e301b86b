import { peerAddress } from '@gleaner/protocol';
import { RecordJudge, type TrustRoot } from '../auth/index.js';

const MAX_KNOWN_PEERS = 500;
/** Names without a record: anybody on the local network can make up as many as they like. */
const MAX_UNPROVEN_PEERS = 64;
const MAX_ADDRESSES = 8;
/** Of a peer with a record these many more are tried, in case it has moved. */
const MAX_ANNOUNCED = 2;
const MAX_FILES = 64;
/** Of each known peer the record as it was signed, and as the tracker writes it. */
const MAX_JUDGED = 2 * MAX_KNOWN_PEERS;

interface KnownPeer {
  readonly seq: number;
  readonly addresses: readonly string[];
  readonly record: Uint8Array | undefined;
  /** Manifests that the peer is known to share; most are not. */
  readonly files: ReadonlySet<string>;
}

/** Peers that the tracker, other peers or the local network have named; those without a record leave first, then the longest known. */
export class PeerDirectory {
  readonly #peers = new Map<string, KnownPeer>();
  readonly #judge: RecordJudge;

  /** @param suggest called for every peer that became known or has moved */
  constructor(
    trust: TrustRoot,
    private readonly ownPeerId: string,
    private readonly suggest: (
      peerId: string,
      addresses: readonly string[],
      files: ReadonlySet<string>,
    ) => void,
  ) {
    this.#judge = new RecordJudge(trust, MAX_JUDGED);
  }

  /**
   * Takes a signed record from anywhere; forged or outdated ones are ignored.
   *
   * @param manifestId a file that the peer shares, when whoever named it said so
   * @returns whose record it is, when it is genuine and no older than what was known
   */
  learn(bytes: Uint8Array, manifestId?: string): string | undefined {
    const record = this.#judge.judge(bytes);
    if (!record || record.peerId === this.ownPeerId) return undefined;
    const { peerId } = record;
    const known = this.#peers.get(peerId);
    const files = new Set(known?.files);
    if (manifestId !== undefined) files.add(manifestId);
    if (files.size > MAX_FILES) files.delete([...files][0] ?? '');
    const isNews = !known || record.seq >= known.seq;
    const { seq, addresses } = isNews ? record : known;
    this.#remember(peerId, { seq, addresses, record: isNews ? bytes : known.record, files });
    this.suggest(peerId, addresses, files);
    return isNews ? peerId : undefined;
  }

  /** Takes an address that the local network has announced; unproven until the link authenticates. */
  learnAddresses(peerId: string, addresses: readonly string[]): void {
    if (peerId === this.ownPeerId) return;
    const known = this.#peers.get(peerId);
    const files = known?.files ?? new Set();
    // What the peer signed stays what it is, and comes first.
    // Anybody on the network can announce anything: names that somebody else resolves, sockets of this machine.
    const announced = addresses
      .filter((address) => peerAddress.safeParse(address).success)
      .slice(0, known?.record ? MAX_ANNOUNCED : MAX_ADDRESSES);
    if (announced.length === 0) return;
    const all = [...new Set([...(known?.record ? known.addresses : []), ...announced])];
    if (!known?.record) this.#remember(peerId, { seq: 0, addresses: all, record: undefined, files });
    this.suggest(peerId, all, files);
  }

  /** The peer's own signed record, to be passed on to others. */
  recordOf(peerId: string): Uint8Array | undefined {
    return this.#peers.get(peerId)?.record;
  }

  /** The signed records of all known peers, the longest known first. */
  get records(): readonly Uint8Array[] {
    return [...this.#peers.values()].flatMap(({ record }) => (record ? [record] : []));
  }

  /**
   * Suggests everybody: first who was tried in vain least often, as a name without a record counts from the start, and of those who
   * was named last. Most are behind routers or gone, and there are places for a few at a time.
   */
  suggestAll(failedDials: (peerId: string) => number): void {
    const peers = [...this.#peers].reverse().map(([peerId, { addresses, files, record }]) => ({
      peerId,
      addresses,
      files,
      failures: failedDials(peerId) + (record ? 0 : 1),
    }));
    peers.sort((a, b) => a.failures - b.failures);
    for (const { peerId, addresses, files } of peers) this.suggest(peerId, addresses, files);
  }

  #remember(peerId: string, peer: KnownPeer): void {
    this.#peers.delete(peerId);
    this.#peers.set(peerId, peer);
    const unproven = [...this.#peers].filter(([, { record }]) => !record).map(([known]) => known);
    const tooMany = Math.max(unproven.length - MAX_UNPROVEN_PEERS, this.#peers.size - MAX_KNOWN_PEERS);
    for (const oldest of unproven.slice(0, Math.max(0, tooMany))) this.#peers.delete(oldest);
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= MAX_KNOWN_PEERS) return;
      this.#peers.delete(oldest);
    }
  }
}
