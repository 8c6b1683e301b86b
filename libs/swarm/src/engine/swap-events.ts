import type { Frame } from '../frames/frame.js';
import type { Bitmap } from './bitmap.js';

/** A file to share, as its verified manifest and the store describe it. */
export interface FileInit {
  /** SHA-256 (hex) of the manifest; names the file. */
  readonly manifestId: string;
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  readonly chunkCount: number;
  /** Chunks already in the store. The engine keeps its own copy. */
  readonly have: Bitmap;
  /** This host's coordinator-signed permission, shown to peers. */
  readonly ticket: Uint8Array;
}

/** Why a link is closed. Only `bad-chunk` is proof enough for a ban; the rest may be an old or unlucky peer. */
export type DisconnectReason =
  | 'bad-chunk'
  | 'protocol-error'
  | 'mismatch'
  | 'request-flood'
  | 'unsolicited-data'
  | 'too-slow'
  | 'too-many-peers';

/**
 * Why the origin grants no chunk: it has no capacity right now, other hosts are fetching all of them and will share, or it
 * cannot be reached.
 */
export type OriginRefusal = 'busy' | 'elsewhere' | 'away';

/** What the engine is told. Every event comes with the time. */
export type SwapEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'file-added'; readonly file: FileInit }
  | { readonly kind: 'file-removed'; readonly manifestId: string }
  | { readonly kind: 'ticket-renewed'; readonly manifestId: string; readonly ticket: Uint8Array }
  /** Only these chunks (of a task's window) are fetched from now on, besides those wanted earlier. */
  | { readonly kind: 'wanted'; readonly manifestId: string; readonly chunks: Iterable<number> }
  /** The tasks that wanted these chunks have ended. */
  | { readonly kind: 'unwanted'; readonly manifestId: string; readonly chunks: Iterable<number> }
  /** A link has passed authentication. `record` is the peer's signed record for others, if it gave one. */
  | { readonly kind: 'peer-connected'; readonly peer: string; readonly record?: Uint8Array }
  | { readonly kind: 'peer-disconnected'; readonly peer: string }
  /** The peer's own record, verified, for others that share a file with it. */
  | { readonly kind: 'peer-record'; readonly peer: string; readonly record: Uint8Array }
  | { readonly kind: 'frame'; readonly peer: string; readonly frame: Frame }
  /** Bytes of `upload` actions have left the link's send queue. */
  | { readonly kind: 'flushed'; readonly peer: string; readonly bytes: number }
  /** The answer to `check`. A good chunk is in the store by now. */
  | {
      readonly kind: 'checked';
      readonly manifestId: string;
      readonly chunk: number;
      readonly peer: string;
      readonly verdict: 'good' | 'bad' | 'not-stored';
    }
  /** A stored chunk turned out to be damaged: it is absent again. */
  | { readonly kind: 'chunk-lost'; readonly manifestId: string; readonly chunk: number }
  /** The answer to `origin-ask`: chunks to fetch, or why there are none and when to ask again. */
  | {
      readonly kind: 'origin-granted';
      readonly manifestId: string;
      readonly chunks: readonly number[];
      readonly otherwise: OriginRefusal;
      readonly retryAfterMs: number;
    }
  /** The answer to `origin-fetch`. A good chunk is in the store by now. */
  | {
      readonly kind: 'origin-fetched';
      readonly manifestId: string;
      readonly chunk: number;
      readonly isStored: boolean;
    }
  | {
      readonly kind: 'limits-changed';
      readonly uploadBytesPerSecond: number;
      readonly downloadBytesPerSecond: number;
    };

/** What the engine asks for. */
export type SwapAction =
  | { readonly kind: 'send'; readonly peer: string; readonly frame: Frame }
  /** Send these bytes of a chunk in the store as blocks; answer with one `flushed`. */
  | {
      readonly kind: 'upload';
      readonly peer: string;
      readonly channel: number;
      readonly manifestId: string;
      readonly chunk: number;
      readonly offset: number;
      readonly length: number;
      /** It is the end of the chunk. */
      readonly isLast: boolean;
    }
  /** Compare a complete chunk with the manifest and store it if it is good; answer with `checked`. */
  | {
      readonly kind: 'check';
      readonly manifestId: string;
      readonly chunk: number;
      readonly peer: string;
      readonly bytes: Uint8Array;
    }
  /** Ask the origin which chunks this host should fetch. `urgent`: peers have failed, it must deliver these. */
  | {
      readonly kind: 'origin-ask';
      readonly manifestId: string;
      readonly wanted: Bitmap;
      readonly count: number;
      readonly urgent: boolean;
    }
  | { readonly kind: 'origin-fetch'; readonly manifestId: string; readonly chunk: number }
  | {
      readonly kind: 'disconnect';
      readonly peer: string;
      readonly reason: DisconnectReason;
      readonly ban: boolean;
    }
  /** Signed records of other peers, unverified. */
  | { readonly kind: 'peers-learned'; readonly from: string; readonly records: readonly Uint8Array[] };

/**
 * Judges a ticket that a peer showed: the instant (ms) until which the peer may have the file, or undefined when the ticket
 * is forged, expired, or another file's or peer's.
 */
export type AuthorizePeer = (
  peer: string,
  manifestId: string,
  ticket: Uint8Array,
  nowMs: number,
) => number | undefined;
