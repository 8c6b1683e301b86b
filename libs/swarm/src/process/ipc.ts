import type {
  Manifest,
  OriginTicketsAnswer,
  OriginTicketsRequest,
  SignedCertificate,
  SignedTicket,
  SwarmAnnounce,
  SwarmAnnounceAnswer,
} from '@gleaner/protocol';
import type { BlobLocation } from '../chunk-source.js';
import type { SwapConfig } from '../engine/index.js';
import type { SwarmMemory } from './swarm-memory.js';
import type { SwarmProgress } from './swarm-node-init.js';

/**
 * What the node's process needs to start. It holds the peer's key and certificate, and nothing of the account's: calls to the
 * coordinator go through its parent.
 */
export interface SwarmProcessInit {
  /** The peer's Ed25519 seed, 32 bytes. */
  readonly seed: Uint8Array;
  readonly certificate: SignedCertificate;
  /** The coordinator's Ed25519 public key: SPKI in DER. */
  readonly coordinatorKey: Uint8Array;
  /** Multiaddresses to listen on, only interfaces that the volunteer allows. */
  readonly listen: readonly string[];
  /** The address that links to others start from; left out: whichever the system chooses. */
  readonly dialFrom?: string;
  /** Where others reach this host besides, such as a forwarded port. */
  readonly extraAddresses?: readonly string[];
  readonly mdnsServiceTag?: string;
  /** What an earlier run has learnt. */
  readonly memory?: SwarmMemory;
  /** Bytes from and to other volunteers after which the process ends by itself; left out: no bound. */
  readonly mostExchangedBytes?: number;
  readonly config?: Partial<SwapConfig>;
}

/** A file to share: its chunks are in the store's own data file, which this process reads and writes as well. */
export interface SharedFileRequest {
  readonly location: BlobLocation;
  readonly manifest: Manifest;
  readonly ticket: SignedTicket;
  readonly dataPath: string;
  /** Bitmap of the chunks that are there. */
  readonly have: Uint8Array;
  /** Bitmap of those that this run has compared with the manifest already; the others are at their first use. */
  readonly verified?: Uint8Array;
}

/** Parent to child; every request is answered under its id. */
export type SwarmRequest =
  | { readonly id: number; readonly method: 'start'; readonly init: SwarmProcessInit }
  | { readonly id: number; readonly method: 'join'; readonly request: SharedFileRequest }
  /** Answered once the file is neither read nor written any longer. */
  | { readonly id: number; readonly method: 'leave'; readonly manifestId: string }
  /** Answered when all chunks are stored. */
  | {
      readonly id: number;
      readonly method: 'fetch';
      readonly manifestId: string;
      readonly indices: readonly number[];
    }
  | { readonly id: number; readonly method: 'abort-fetch'; readonly fetchId: number }
  /** The parent has written these chunks itself. */
  | {
      readonly id: number;
      readonly method: 'note-stored';
      readonly manifestId: string;
      readonly indices: readonly number[];
    }
  | { readonly id: number; readonly method: 'renew-certificate'; readonly certificate: SignedCertificate }
  | {
      readonly id: number;
      readonly method: 'limit';
      readonly uploadBytesPerSecond: number;
      readonly downloadBytesPerSecond: number;
    }
  /** Bytes from and to other volunteers since the start, after which the process ends by itself. */
  | { readonly id: number; readonly method: 'set-budget'; readonly mostExchangedBytes: number }
  | { readonly id: number; readonly method: 'memory' }
  | { readonly id: number; readonly method: 'progress' }
  | { readonly id: number; readonly method: 'close' };

/** A call to the coordinator that the parent makes for the child; `abort-call` takes it back. */
export type CoordinatorCall =
  | { readonly method: 'announce'; readonly announce: SwarmAnnounce }
  | { readonly method: 'origin-tickets'; readonly request: OriginTicketsRequest }
  | { readonly method: 'fetch-chunk'; readonly manifestId: string; readonly chunk: number };

export type CoordinatorAnswer =
  | { readonly method: 'announce'; readonly answer: SwarmAnnounceAnswer }
  | { readonly method: 'origin-tickets'; readonly answer: OriginTicketsAnswer }
  | { readonly method: 'fetch-chunk'; readonly bytes: Uint8Array }
  | { readonly method: 'failed'; readonly message: string; readonly isRefused: boolean };

/** The parent's answer to a call of the child. */
export interface CoordinatorReply {
  readonly callId: number;
  readonly reply: CoordinatorAnswer;
}

/** Everything that a parent sends. */
export type ParentMessage = SwarmRequest | CoordinatorReply;

/** Child to parent. */
export type SwarmMessage =
  | { readonly type: 'answer'; readonly id: number; readonly result: SwarmResult }
  | { readonly type: 'error'; readonly id: number; readonly message: string }
  /** Gathered for a moment: a message for each chunk would be a good part of the work. */
  | { readonly type: 'stored'; readonly manifestId: string; readonly chunks: readonly number[] }
  | { readonly type: 'damaged'; readonly manifestId: string; readonly chunk: number }
  /** The last word of a process that has exchanged as much as it may. */
  | { readonly type: 'budget-used'; readonly progress: SwarmProgress }
  | { readonly type: 'call'; readonly callId: number; readonly call: CoordinatorCall }
  | { readonly type: 'abort-call'; readonly callId: number }
  | {
      readonly type: 'log';
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

export type SwarmResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'started'; readonly addresses: readonly string[]; readonly pid: number }
  | { readonly kind: 'memory'; readonly memory: SwarmMemory }
  | { readonly kind: 'progress'; readonly progress: SwarmProgress; readonly cpuSeconds: number };
