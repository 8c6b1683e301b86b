import type { KeyObject } from 'node:crypto';
import type { SignedCertificate } from '@gleaner/protocol';
import type { PeerIdentity } from '../auth/index.js';
import type { PeerSummary, SwapConfig } from '../engine/index.js';
import type { Transport, TransportEvents } from '../links/index.js';
import type { SwarmCoordinator } from './swarm-coordinator.js';
import type { SwarmMemory } from './swarm-memory.js';
import type { FileTraffic } from './traffic-book.js';

/** What a node is made of and whom it tells. */
export interface SwarmNodeInit {
  readonly identity: PeerIdentity;
  readonly certificate: SignedCertificate;
  readonly coordinatorKey: KeyObject;
  readonly openTransport: (events: TransportEvents) => Promise<Transport>;
  /** Left out: known peers and the local network are all there is. */
  readonly coordinator?: SwarmCoordinator;
  /** Where others reach this host besides its own interfaces, such as a forwarded port. */
  readonly extraAddresses?: readonly string[];
  /** What an earlier run has learnt. */
  readonly memory?: Partial<SwarmMemory>;
  /** Bytes from and to other volunteers that may be exchanged; no bound when left out. */
  readonly mostExchangedBytes?: number;
  /** Called once that is used up; nothing is exchanged any more. */
  readonly onBudgetUsed?: (progress: SwarmProgress) => void;
  readonly config?: Partial<SwapConfig>;
  readonly onStored?: (manifestId: string, chunk: number) => void;
  /** The disk returned a chunk damaged: it is not offered any longer. */
  readonly onDamaged?: (manifestId: string, chunk: number) => void;
  readonly log?: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** Bytes since the start, and who is connected. */
export interface SwarmProgress {
  readonly bytesFromPeers: number;
  readonly bytesFromOrigin: number;
  readonly bytesToPeers: number;
  readonly wastedBytes: number;
  /** Of blocks from and to peers, those that were worth nothing included. */
  readonly exchangedBytes: number;
  readonly bannedPeers: readonly string[];
  readonly peers: readonly PeerSummary[];
  /** Of the files that moved last; of others nothing has moved since they were told of. */
  readonly files: readonly FileTraffic[];
}
