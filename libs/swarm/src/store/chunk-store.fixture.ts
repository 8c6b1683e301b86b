import { createHash } from 'node:crypto';
import { manifestBytes, type Manifest } from '@gleaner/protocol';
import type { ChunkClaim, ChunkStore } from './chunk-store.js';

export const CHUNK = 256 * 1024;

/** For tests: a file whose chunks differ from each other, and from those of a file that is filled otherwise. */
export function aFile(chunks: number, fill: number, lastBytes = CHUNK) {
  const pieces = Array.from({ length: chunks }, (_, index) =>
    new Uint8Array(index === chunks - 1 ? lastBytes : CHUNK).fill(fill + index),
  );
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const hashes = pieces.map((piece) => createHash('sha256').update(piece).digest('hex'));
  const manifest: Manifest = { v: 1, alg: 'sha256', size, chunk: CHUNK, hashes };
  const manifestId = createHash('sha256').update(manifestBytes(manifest)).digest('hex');
  return { pieces, manifest, manifestId };
}

/** Stores the whole file, and keeps it claimed. */
export async function keepAll(store: ChunkStore, file: ReturnType<typeof aFile>): Promise<ChunkClaim> {
  const claim = await store.claim(file.manifestId, file.manifest, file.pieces.keys());
  for (const [index, piece] of file.pieces.entries()) await store.write(file.manifestId, index, piece);
  return claim;
}
