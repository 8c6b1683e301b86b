import type { ByteSource } from '../wasi/byte-source.js';
import type { SandboxReply, SentModule } from './messages.js';
import type { SnapshotHeader, UnitSnapshot } from './snapshot.js';
import type { InputContent } from './types.js';

/** What the sandbox's loop needs from its surroundings: a Node process or a Web Worker. */
export interface SandboxPlatform {
  send(reply: SandboxReply): void;
  readModule(source: SentModule['source']): Uint8Array;
  sha256Hex(bytes: Uint8Array): string;
  /** Absent where there is no disk: then snapshots are asked for as messages. */
  readonly checkpoints?: CheckpointStore;
  openFiles(content: Extract<InputContent, { kind: 'files' }>): ByteSource;
  /** CPU time of this sandbox so far, in milliseconds; wall time where the platform cannot tell. */
  cpuMs(): number;
  /** CPU time of the threads that do not compute units, in milliseconds; absent where the platform cannot tell. */
  otherThreadsCpuMs?(): number;
  /** Frees what nobody uses any more, at once; absent where the platform leaves that to itself. */
  readonly collectGarbage?: () => void;
  /** Lets waiting messages in. */
  yield(): Promise<void>;
}

/** Keeps the latest snapshot of a unit on disk. */
export interface CheckpointStore {
  /** Takes a copy at once and writes it in the background; rejects where it could not be written. */
  save(path: string, snapshot: UnitSnapshot): Promise<void>;
  /** Null where there is none, or none that is whole. */
  load(path: string): { header: SnapshotHeader; payload: Uint8Array } | null;
  remove(path: string): void;
}
