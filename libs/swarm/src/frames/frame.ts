/** Bounds of the swap protocol. Both ends enforce them; a peer that breaks one is disconnected. */
export const FRAME_LIMITS = {
  /** Data bytes in one block. */
  blockBytes: 64 * 1024,
  /** A frame without its length prefix: a block and its header is the largest. */
  frameBytes: 64 * 1024 + 32,
  /** A coordinator-signed ticket as it travels in `open`. */
  ticketBytes: 1024,
  /** Chunks of the largest blob. */
  chunks: 64 * 1024,
  /** Files that one link may have open in each direction. */
  channels: 64,
  /** Peer records in one `peers` frame. */
  records: 16,
  recordBytes: 3 * 1024,
} as const;

/** Why a peer closes a file. */
export const CLOSE_REASONS = ['done', 'not-permitted', 'mismatch'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/**
 * One message of the swap protocol. `channel` numbers the file on this link, as the sender of `open` chose it; each side
 * numbers its own. Chunks are asked for whole, so that a bad one has exactly one culprit, and travel in blocks.
 */
export type Frame =
  | {
      readonly type: 'open';
      readonly channel: number;
      /** SHA-256 (hex) of the file's manifest. */
      readonly manifestId: string;
      /** The sender's permission to have this file, opaque here. */
      readonly ticket: Uint8Array;
    }
  | { readonly type: 'close'; readonly channel: number; readonly reason: CloseReason }
  /** The chunks that the sender has: bit `i % 8` (from the least significant) of byte `i / 8` is chunk i. */
  | { readonly type: 'bitmap'; readonly channel: number; readonly count: number; readonly bits: Uint8Array }
  | { readonly type: 'have'; readonly channel: number; readonly chunk: number }
  /** Whether the receiver has chunks that the sender wants. */
  | { readonly type: 'interest'; readonly channel: number; readonly wanted: boolean }
  /** Whether the receiver holds one of the sender's upload slots. */
  | { readonly type: 'slot'; readonly granted: boolean }
  | { readonly type: 'request'; readonly channel: number; readonly chunk: number }
  | { readonly type: 'cancel'; readonly channel: number; readonly chunk: number }
  /** The sender will not deliver a chunk that was requested. */
  | { readonly type: 'reject'; readonly channel: number; readonly chunk: number }
  | {
      readonly type: 'block';
      readonly channel: number;
      readonly chunk: number;
      /** Bytes from the start of the chunk: on the wire a multiple of `blockBytes`, in parts of a block that arrives any. */
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** Signed peer records, opaque here. */
  | { readonly type: 'peers'; readonly records: readonly Uint8Array[] };

export const FRAME_TYPES = [
  'open',
  'close',
  'bitmap',
  'have',
  'interest',
  'slot',
  'request',
  'cancel',
  'reject',
  'block',
  'peers',
] as const satisfies readonly Frame['type'][];
export type FrameType = Frame['type'];

/** What is wrong with received bytes. */
export type FrameFault = 'too-long' | 'unknown-type' | 'wrong-length' | 'out-of-bounds' | 'truncated';

/** The other side does not speak the protocol; the link has to be closed. `atByte` counts from the start of the stream. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  constructor(
    readonly fault: FrameFault,
    readonly atByte: number,
    detail: string,
  ) {
    super(`bad frame at byte ${atByte}: ${detail}`);
  }
}
