import { z } from 'zod';
import { canonicalJson } from './canonical-json.js';
import { LIMITS } from './limits.js';
import { sha256Hex } from './primitives.js';

const MIN_CHUNK_BYTES = 256 * 1024;
const MAX_CHUNK_BYTES = 4 * 1024 * 1024;
const TARGET_CHUNKS = 2048;

/** A blob's chunk list. `size` and `chunk` in bytes; `hashes[i]` is the SHA-256 of chunk i; the last chunk may be short. */
export const manifest = z
  .strictObject({
    v: z.literal(1),
    alg: z.literal('sha256'),
    size: z.number().int().min(0).max(LIMITS.blobBytes),
    chunk: z.number().int().min(MIN_CHUNK_BYTES).max(MAX_CHUNK_BYTES),
    hashes: z.array(sha256Hex).max(Math.ceil(LIMITS.blobBytes / MAX_CHUNK_BYTES)),
  })
  .refine((m) => m.chunk === chunkSizeBytes(m.size), {
    error: 'is not the chunk size of this size',
    path: ['chunk'],
  })
  .refine((m) => m.hashes.length === Math.ceil(m.size / m.chunk), {
    error: 'must hold one hash a chunk',
    path: ['hashes'],
  })
  .meta({ id: 'Manifest' });
export type Manifest = z.infer<typeof manifest>;

/** Chunk size in bytes for a blob of `sizeBytes`: about 2048 chunks, a power of two, 256 KiB to 4 MiB. */
export function chunkSizeBytes(sizeBytes: number): number {
  let chunk = MIN_CHUNK_BYTES;
  while (chunk < MAX_CHUNK_BYTES && chunk * TARGET_CHUNKS < sizeBytes) chunk *= 2;
  return chunk;
}

/** The bytes that are hashed (manifestId) and signed: RFC 8785 JSON in UTF-8. */
export function manifestBytes(value: Manifest): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

/** Indices of the chunks that hold `length` bytes from `offset`, `end` exclusive. */
export function chunksOfWindow(
  value: Manifest,
  offset: number,
  length: number,
): { start: number; end: number } {
  if (length === 0) return { start: 0, end: 0 };
  return { start: Math.floor(offset / value.chunk), end: Math.ceil((offset + length) / value.chunk) };
}
