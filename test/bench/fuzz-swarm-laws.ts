import type { SwapAction, SwapConfig, SwapEngine } from '@gleaner/swarm/engine';
import { FRAME_LIMITS } from '@gleaner/swarm/frames';
import { CHUNK_BYTES, chunkLength, CHUNKS, FILES, type FuzzPeer } from './fuzz-swarm-peers.js';

export const PEERS = 6;
/** What the engine may hand to one link at a time. */
const RUN_BYTES = 4 * FRAME_LIMITS.blockBytes;
const MAX_BUFFERED_BYTES = 6 * CHUNK_BYTES;
/** Tight, so that every limit is reached. */
export const CONFIG: Partial<SwapConfig> = {
  maxPeers: 4,
  maxFiles: FILES,
  maxQueuedRequests: 8,
  maxBufferedBytes: MAX_BUFFERED_BYTES,
  sendQueueBytes: RUN_BYTES,
  uploadSlots: 2,
};
/** What one peer and one file may make the engine remember at most, each entry of each of its maps counted. */
const MAX_PEER_ENTRIES = FILES + FRAME_LIMITS.channels + 8 + 256 + 6 + FILES * CHUNKS + PEERS;
const MAX_FILE_ENTRIES = 6 * CHUNKS;

export interface ServedPeer {
  /** undefined: an earlier action of the same event has ended the link. */
  readonly peer: FuzzPeer | undefined;
  /** Chunks of the file that are there. */
  readonly have: ReadonlySet<number> | undefined;
  /** What a ticket no longer allows is served until the next tick, and no longer. */
  readonly tickedAtMs: number;
}

/**
 * Nobody is served without a ticket, or what is not there, or more than a link takes. Counts what waits for the link.
 *
 * @throws {Error} when that does not hold
 */
export function requireLawful(
  { manifestId, chunk, offset, length }: Extract<SwapAction, { kind: 'upload' }>,
  { peer, have, tickedAtMs }: ServedPeer,
): void {
  if (!peer) return;
  if ((peer.permittedUntilMs.get(manifestId) ?? 0) <= tickedAtMs)
    throw new Error(`${peer.name} is served without a ticket`);
  if (!have?.has(chunk)) throw new Error(`chunk ${chunk} is served and not there`);
  if (length <= 0 || length > RUN_BYTES || offset + length > chunkLength(chunk))
    throw new Error(`${length} bytes from ${offset} of chunk ${chunk} are served`);
  peer.unsentBytes += length;
  if (peer.unsentBytes > RUN_BYTES) throw new Error(`${peer.unsentBytes} bytes wait for one link`);
}

/**
 * The engine holds no more than its peers and files account for, and nothing of peers that are gone.
 *
 * @throws {Error} when that does not hold
 */
export function requireBounds(
  engine: Pick<SwapEngine, 'bufferedBytes' | 'heldEntries' | 'peers'>,
  {
    peers,
    files,
    nowMs,
  }: {
    readonly peers: ReadonlyMap<string, FuzzPeer>;
    readonly files: number;
    readonly nowMs: number;
  },
): void {
  const { bufferedBytes, heldEntries } = engine;
  if (bufferedBytes < 0 || bufferedBytes > MAX_BUFFERED_BYTES)
    throw new Error(`${bufferedBytes} bytes are held, at most ${MAX_BUFFERED_BYTES} allowed`);
  const maxEntries = peers.size * MAX_PEER_ENTRIES + files * MAX_FILE_ENTRIES;
  if (heldEntries > maxEntries)
    throw new Error(`${heldEntries} entries are kept, at most ${maxEntries} make sense`);
  const strangers = engine.peers(nowMs).filter(({ peer }) => !peers.has(peer));
  if (strangers.length > 0) throw new Error('a peer is kept that is gone');
}
