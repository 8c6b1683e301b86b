import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifest, manifestBytes } from '@gleaner/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashFile } from './hash-content.js';

const CHUNK_BYTES = 256 * 1024;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-hash-'));
});
afterAll(() => rm(directory, { recursive: true }));

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

it.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 7])(
  'hashes %i bytes as a whole and chunk by chunk, into a manifest that the protocol accepts',
  async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    const path = join(directory, String(sizeBytes));
    await writeFile(path, bytes);
    const content = await hashFile(path);
    expect(content.sha256).toBe(sha256(bytes));
    expect(manifest.parse(content.manifest)).toEqual(content.manifest);
    const chunks = Array.from({ length: Math.ceil(sizeBytes / CHUNK_BYTES) }, (_, i) =>
      sha256(bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)),
    );
    expect(content.manifest).toMatchObject({ size: sizeBytes, chunk: CHUNK_BYTES, hashes: chunks });
    expect(content.manifestId).toBe(sha256(manifestBytes(content.manifest)));
  },
);
