import type { GuestMemory } from './guest-memory.js';
import { ERRNO, type Errno } from './preview1.js';

const MAX_VECTORS = 1024;
const VECTOR_BYTES = 8;

/** Buffers of one scattered read or gathered write, as address and length pairs, and their lengths' sum. */
export interface IoVectors {
  readonly pairs: Uint32Array;
  readonly totalBytes: number;
}

/** Reads `count` buffers from the array at `address`. The buffers themselves are not checked yet: see {@link areInside}. */
export function readVectors(memory: GuestMemory, address: number, count: number): IoVectors | Errno {
  if (count > MAX_VECTORS) return ERRNO.inval;
  if (!memory.holds(address, count * VECTOR_BYTES)) return ERRNO.fault;
  const { view } = memory;
  const pairs = new Uint32Array(count * 2);
  let totalBytes = 0;
  for (let i = 0; i < count; i++) {
    const length = view.getUint32(address + i * VECTOR_BYTES + 4, true);
    pairs[2 * i] = view.getUint32(address + i * VECTOR_BYTES, true);
    pairs[2 * i + 1] = length;
    totalBytes += length;
  }
  return { pairs, totalBytes };
}

export function areInside(memory: GuestMemory, { pairs }: IoVectors): boolean {
  for (let i = 0; i < pairs.length; i += 2) {
    if (!memory.holds(pairs[i] ?? 0, pairs[i + 1] ?? 0)) return false;
  }
  return true;
}

/** The buffers in order, as views that are valid until the app runs again. */
export function* buffersOf(memory: GuestMemory, { pairs }: IoVectors): Generator<Uint8Array> {
  for (let i = 0; i < pairs.length; i += 2) yield memory.slice(pairs[i] ?? 0, pairs[i + 1] ?? 0);
}
