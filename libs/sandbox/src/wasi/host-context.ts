import type { Descriptor, DescriptorTable, DirectoryDescriptor } from './descriptors.js';
import type { MemoryContent } from './file-content.js';
import type { FileSystem } from './file-system.js';
import type { GuestMemory } from './guest-memory.js';
import { ERRNO, type Errno } from './preview1.js';
import type { RandomStream } from './random-stream.js';
import type { TextTail } from './text-tail.js';
import type { UnitClock } from './unit-clock.js';

/** What the host calls of one unit share. */
export interface HostContext {
  readonly memory: GuestMemory;
  readonly files: FileSystem;
  readonly descriptors: DescriptorTable;
  readonly clock: UnitClock;
  readonly random: RandomStream;
  /** argv and `NAME=VALUE` pairs, each ended by a zero byte. */
  readonly args: readonly Uint8Array[];
  readonly environ: readonly Uint8Array[];
  /** Null where the unit does not declare stdout: then it is discarded. */
  readonly stdout: MemoryContent | null;
  readonly stderr: TextTail;
  /**
   * Charges a call for the bytes that its arguments request, before it has any effect.
   * @throws StopUnit when the cycles have run out.
   */
  charge(requestedBytes: number): void;
  onProgress(permille: number): void;
  onFrame(bytes: Uint8Array): void;
}

/** Functions by import name. Integers of 32 bits arrive signed, those of 64 bits as bigint. */
export type HostCalls = Record<string, (...args: never[]) => number | void>;

export function descriptorOr(context: HostContext, fd: number): Descriptor | Errno {
  return context.descriptors.get(fd) ?? ERRNO.badf;
}

export function directoryOr(context: HostContext, fd: number): DirectoryDescriptor | Errno {
  const descriptor = context.descriptors.get(fd);
  if (descriptor === null) return ERRNO.badf;
  return descriptor.kind === 'directory' ? descriptor : ERRNO.notdir;
}
