import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { chunkSizeBytes, manifestBytes, type Manifest } from '@gleaner/protocol';

const READ_BYTES = 1024 * 1024;

export interface HashedContent {
  /** Lower-case hexadecimal SHA-256 of the whole content. */
  readonly sha256: string;
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  /** Lower-case hexadecimal SHA-256 of the manifest. */
  readonly manifestId: string;
}

/** Reads a file once, and hashes it as a whole and chunk by chunk. */
export async function hashFile(path: string): Promise<HashedContent> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const chunk = chunkSizeBytes(size);
    const whole = createHash('sha256');
    const hashes: string[] = [];
    // Chunks are powers of two from 256 KiB, so a read never crosses the end of one.
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, chunk));
    let current = createHash('sha256');
    let position = 0;
    while (position < size) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - position), position);
      if (bytesRead === 0) {
        throw new Error(`${path} became shorter while it was read: ${position} of ${size} bytes were there`);
      }
      const part = buffer.subarray(0, Math.min(bytesRead, chunk - (position % chunk)));
      whole.update(part);
      current.update(part);
      position += part.length;
      if (position % chunk === 0 || position === size) {
        hashes.push(current.digest('hex'));
        current = createHash('sha256');
      }
    }
    const manifest: Manifest = { v: 1, alg: 'sha256', size, chunk, hashes };
    const bytes = manifestBytes(manifest);
    return {
      sha256: whole.digest('hex'),
      manifest,
      manifestBytes: bytes,
      manifestId: createHash('sha256').update(bytes).digest('hex'),
    };
  } finally {
    await file.close();
  }
}
