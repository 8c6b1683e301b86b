import type { SignedCertificate } from '@gleaner/protocol';
import type { SwapConfig } from '../engine/index.js';
import type { JoinRequest, SwarmProgress } from './swarm-node.js';

/** What the node's process needs to start. It holds the peer's key and nothing of the account's. */
export interface SwarmProcessInit {
  /** The peer's Ed25519 seed, 32 bytes. */
  readonly seed: Uint8Array;
  readonly certificate: SignedCertificate;
  /** The coordinator's Ed25519 public key: SPKI in DER. */
  readonly coordinatorKey: Uint8Array;
  /** Where chunks are stored; one process at a time. */
  readonly directory: string;
  readonly quotaBytes: number;
  /** Multiaddresses to listen on, only interfaces that the volunteer allows. */
  readonly listen: readonly string[];
  readonly mdnsServiceTag?: string;
  /** Headers as the coordinator's API expects them of this host. */
  readonly coordinator?: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  readonly config?: Partial<SwapConfig>;
}

/** Parent to child; every request is answered under its id. */
export type SwarmRequest =
  | { readonly id: number; readonly method: 'start'; readonly init: SwarmProcessInit }
  | { readonly id: number; readonly method: 'join'; readonly request: JoinRequest }
  | { readonly id: number; readonly method: 'leave'; readonly manifestId: string }
  /** Answered when all chunks are stored; a `chunk` message tells each. */
  | {
      readonly id: number;
      readonly method: 'fetch';
      readonly manifestId: string;
      readonly indices: readonly number[];
    }
  | { readonly id: number; readonly method: 'abort-fetch'; readonly fetchId: number }
  | {
      readonly id: number;
      readonly method: 'limit';
      readonly uploadBytesPerSecond: number;
      readonly downloadBytesPerSecond: number;
    }
  | { readonly id: number; readonly method: 'progress' }
  | { readonly id: number; readonly method: 'close' };

/** Child to parent. */
export type SwarmMessage =
  | { readonly type: 'answer'; readonly id: number; readonly result: SwarmResult }
  | { readonly type: 'error'; readonly id: number; readonly message: string }
  | { readonly type: 'chunk'; readonly id: number; readonly chunk: number; readonly dataPath: string }
  | {
      readonly type: 'log';
      readonly event: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

export type SwarmResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'started'; readonly addresses: readonly string[]; readonly pid: number }
  | { readonly kind: 'progress'; readonly progress: SwarmProgress; readonly cpuSeconds: number };
