import { FRAME_LIMITS } from '../frames/frame.js';

/** What the engine may use and how patient it is. */
export interface SwapConfig {
  /** Peers that are served because they serve us (or, at a seed, because they were served least). */
  readonly uploadSlots: number;
  /** One more peer at random, so that newcomers and better partners are found. */
  readonly optimisticSlots: number;
  readonly rechokeIntervalMs: number;
  readonly optimisticIntervalMs: number;
  /** A peer is asked for as many chunks as its rate delivers in this time, and one more. */
  readonly pipelineTargetMs: number;
  readonly maxPipelineChunks: number;
  /** Memory for chunks that are arriving or being checked. */
  readonly maxBufferedBytes: number;
  /** Unsent bytes that one peer's link may hold: short, or a cancel comes too late and a rechoke means nothing. */
  readonly sendQueueBytes: number;
  /** Limits that the volunteer set; infinite when there is none. */
  readonly uploadBytesPerSecond: number;
  readonly downloadBytesPerSecond: number;
  /** A peer that owes chunks and sends nothing for so long loses them. */
  readonly stallTimeoutMs: number;
  /** A link that takes no byte of what waits for so long is ended. */
  readonly sendStallTimeoutMs: number;
  /** A chunk that arrives more slowly than this (after `stallTimeoutMs` of grace) is given up. */
  readonly minChunkBytesPerSecond: number;
  /** Stalls after which a peer is disconnected. */
  readonly maxStalls: number;
  /** Requests of one peer that may wait; more is a flood. */
  readonly maxQueuedRequests: number;
  /** Chunks that may be on their way from the origin. */
  readonly originChunks: number;
  /** Memory for chunks on their way from the origin, of all files together; one chunk always may. */
  readonly maxOriginBytes: number;
  /** How long a chunk may be out of peers' reach before the origin has to deliver it. */
  readonly originPatienceMs: number;
  /** The same for a chunk that peers have, as long as they bring chunks to each other: then it comes in its turn. */
  readonly originBoundMs: number;
  readonly maxPeers: number;
  readonly maxFiles: number;
  readonly peerExchangeIntervalMs: number;
}

export const DEFAULT_SWAP_CONFIG: SwapConfig = {
  uploadSlots: 4,
  optimisticSlots: 1,
  rechokeIntervalMs: 1000,
  optimisticIntervalMs: 3000,
  pipelineTargetMs: 500,
  maxPipelineChunks: 32,
  maxBufferedBytes: 64 * 1024 * 1024,
  sendQueueBytes: 16 * FRAME_LIMITS.blockBytes,
  uploadBytesPerSecond: Number.POSITIVE_INFINITY,
  downloadBytesPerSecond: Number.POSITIVE_INFINITY,
  stallTimeoutMs: 10_000,
  sendStallTimeoutMs: 30_000,
  minChunkBytesPerSecond: 32 * 1024,
  maxStalls: 3,
  maxQueuedRequests: 64,
  originChunks: 2,
  maxOriginBytes: 32 * 1024 * 1024,
  originPatienceMs: 3000,
  originBoundMs: 20_000,
  maxPeers: 60,
  maxFiles: FRAME_LIMITS.channels,
  peerExchangeIntervalMs: 5000,
};
