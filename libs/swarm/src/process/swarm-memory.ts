import type { ExpiringName } from './expiring-names.js';

/**
 * What a node has learnt that the next one on this host should know, also while the coordinator is away: without it a restart
 * would let in again whoever was banned or revoked. Everything is bounded.
 */
export interface SwarmMemory {
  /** Signed records of the peers that it knew, the longest known first. */
  readonly knownPeers: readonly Uint8Array[];
  /** Peer ids, and pseudonyms of hosts, that sent what the manifest does not name. */
  readonly banned: readonly ExpiringName[];
  /** Serials of certificates that were taken back before they ended. */
  readonly revoked: readonly ExpiringName[];
  /** Up to where the coordinator has told of such; milliseconds of its clock. */
  readonly revocationsSeen: number;
  /** Of this host's own record: only a higher one replaces what others know. */
  readonly recordSeq: number;
}
