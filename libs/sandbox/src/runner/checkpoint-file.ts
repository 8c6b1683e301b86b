import { readFileSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, crc32, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { CheckpointStore } from './sandbox-platform.js';
import { decodeHeader, encodeHeader, type PayloadInfo } from './snapshot.js';

const FAST = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const SAMPLES = 16;
const SAMPLE_BYTES = 16 * 1024;
/** Compressing pays only where at least this share of the bytes goes away. */
const WORTHWHILE_RATIO = 0.8;
const PART_SUFFIX = '.part';

/** Snapshots in files: copied at once, compressed by another thread where that pays, put in place whole. */
export const checkpointFiles: CheckpointStore = {
  async save(path, { header, segments }) {
    const plain = Buffer.concat(segments);
    const isCompressed = isCompressible(plain);
    const payload = isCompressed ? await promisify(zstdCompress)(plain, FAST) : plain;
    const info: PayloadInfo = { encoding: isCompressed ? 'zstd' : 'raw', crc32: crc32(payload) };
    const part = path + PART_SUFFIX;
    try {
      const file = await open(part, 'w');
      try {
        await file.writeFile(encodeHeader(header, info));
        await file.writeFile(payload);
      } finally {
        await file.close();
      }
      await rename(part, path);
    } catch (error) {
      // On a full disk, what was begun takes up the room that others need.
      await rm(part, { force: true }).catch(() => undefined);
      throw error;
    }
  },

  load(path) {
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch {
      return null;
    }
    const { header, payload: info, payloadStart } = decodeHeader(bytes);
    const stored = bytes.subarray(payloadStart);
    if (info.crc32 !== crc32(stored)) return null;
    return { header, payload: info.encoding === 'zstd' ? zstdDecompressSync(stored) : stored };
  },

  remove(path) {
    rmSync(path, { force: true });
    rmSync(path + PART_SUFFIX, { force: true });
  },
};

/** Judged by samples from all over, in about a millisecond. */
function isCompressible(bytes: Uint8Array): boolean {
  const stride = Math.max(SAMPLE_BYTES, Math.floor(bytes.length / SAMPLES));
  const samples: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += stride) samples.push(bytes.subarray(at, at + SAMPLE_BYTES));
  const sample = Buffer.concat(samples);
  return zstdCompressSync(sample, FAST).length < sample.length * WORTHWHILE_RATIO;
}
