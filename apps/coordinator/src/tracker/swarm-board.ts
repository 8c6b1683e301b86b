import type { Accusation, FileTraffic, HolderClaim, OriginGrant, PeerPlace } from '@gleaner/domain';
import type { SignedPeerRecord } from '@gleaner/protocol';

/** Bounds on what a board keeps; beyond them the oldest leaves. */
export const BOARD_LIMITS = {
  /** Peers of one file. More are in the swarm of a popular one, and find each other through those that are known. */
  membersPerFile: 2_000,
  /** Files that a host may share at once. */
  filesPerHost: 1_024,
  accusationsPerPeer: 64,
  offersPerFile: 256,
  /** Files, hosts and peers that a board in memory remembers. */
  files: 10_000,
  hosts: 100_000,
} as const;

/** Grants, tickets and traffic of what nobody has touched for so long are forgotten. */
export const BOARD_KEEP_MS = 24 * 3600 * 1000;

/** A file that volunteers share: a job's input. */
export interface SwarmFile {
  readonly manifestId: string;
  /** Lower-case hexadecimal; the blob's content. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  /** The job on whose behalf a host has it; its page shows what was saved. */
  readonly jobId: string;
}

export function chunkCountOf(file: Pick<SwarmFile, 'sizeBytes' | 'chunkBytes'>): number {
  return Math.ceil(file.sizeBytes / file.chunkBytes);
}

/** A peer that shares a file, in its own words. */
export interface SwarmMember extends PeerPlace {
  readonly hostId: string;
  readonly accountId: string;
  readonly serial: string;
  readonly record: SignedPeerRecord;
  readonly have: Uint8Array;
}

export interface AnnounceOutcome {
  /** What the peer had when it announced itself before; null for a new one. */
  readonly hadBefore: Uint8Array | null;
  /** Peers that share the file, this one included. */
  readonly peers: number;
}

export interface GrantView {
  readonly grantOf: (chunk: number) => OriginGrant | undefined;
  readonly outstandingBytes: number;
  readonly ownOutstandingBytes: number;
}

export interface GrantRequest {
  readonly manifestId: string;
  readonly hostId: string;
  readonly chunkBytes: number;
  /** Chunks whose grants the decision looks at. */
  readonly chunks: readonly number[];
  readonly nowMs: number;
}

/**
 * What the coordinators know of all swarms: who has what, who was sent to the origin for what. It may be lost at any time:
 * peers announce themselves again, and grants are made anew. In Redis all coordinators share one; in memory a single
 * coordinator has it for itself. Times are milliseconds since 1970.
 */
export interface SwarmBoard {
  /** Notes a peer and what it has, until it announces itself again or as many milliseconds have passed as `ttlOf` says. */
  announce(
    manifestId: string,
    member: SwarmMember,
    ttlOf: (outcome: AnnounceOutcome) => number,
  ): Promise<AnnounceOutcome>;
  leave(manifestId: string, peerId: string): Promise<void>;
  findMember(manifestId: string, peerId: string): Promise<SwarmMember | null>;
  /** Up to `each` random peers of the network, of the region, and of all; the asking one may be among them. */
  sample(manifestId: string, place: PeerPlace, each: number): Promise<SwarmMember[]>;
  /** What all known peers of the file say they have. */
  claims(manifestId: string): Promise<HolderClaim[]>;

  /** Lets `decide` look at grants of the file and stores those it returns; nobody else decides meanwhile. */
  decideGrants(
    request: GrantRequest,
    decide: (view: GrantView) => ReadonlyMap<number, OriginGrant>,
  ): Promise<void>;
  /** Changes what the host was granted of these chunks; what others were granted stays as it is. */
  changeGrants(request: GrantRequest, change: (grant: OriginGrant) => OriginGrant): Promise<void>;

  /** Notes an accusation, one for each person, and returns all against this peer. */
  accuse(peerId: string, accusation: Accusation, keepMs: number): Promise<Accusation[]>;
  /** How many peers the person has accused lately, this one included if it is among them. */
  countAccused(personId: string, peerId: string, keepMs: number): Promise<number>;

  /** The host may have the file for so long. */
  entitle(hostId: string, file: SwarmFile, ttlMs: number): Promise<void>;
  findEntitlement(hostId: string, manifestId: string): Promise<SwarmFile | null>;

  /** Notes chunks that a host was asked to keep, so that others are asked for others meanwhile. */
  offer(manifestId: string, claim: HolderClaim, ttlMs: number): Promise<void>;
  offers(manifestId: string): Promise<HolderClaim[]>;

  /** Says whether the host has not sent this report before; later ones have a higher `seq`. */
  takeReport(hostId: string, seq: number): Promise<boolean>;
  updateTraffic(
    hostId: string,
    manifestId: string,
    update: (before: FileTraffic) => FileTraffic,
  ): Promise<{ readonly before: FileTraffic; readonly after: FileTraffic }>;

  /** Closing twice is safe. */
  close(): Promise<void>;
}
