import { Bitmap } from '../engine/bitmap.js';

const MAGIC = 'GLNHAVE1';
const HEADER_BYTES = 8 + 1 + 4 + 4 + 8;

/** What a bitmap file says about its data file. */
export interface HaveRecord {
  /** The store was closed in good order: what the bitmap names need not be verified again. */
  readonly isClean: boolean;
  readonly chunkBytes: number;
  readonly sizeBytes: number;
  readonly have: Bitmap;
}

/** Header (magic, clean flag, chunk size and count as 32 bits, file size as 64 bits, big-endian), then the bitmap. */
export function encodeHaveRecord(record: HaveRecord): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + record.have.bytes.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint8(8, record.isClean ? 1 : 0);
  view.setUint32(9, record.chunkBytes);
  view.setUint32(13, record.have.count);
  view.setBigUint64(17, BigInt(record.sizeBytes));
  bytes.set(record.have.bytes, HEADER_BYTES);
  return bytes;
}

/** @returns undefined when the bytes are no bitmap file, such as after a bad disk */
export function decodeHaveRecord(bytes: Uint8Array): HaveRecord | undefined {
  if (bytes.length < HEADER_BYTES || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC)
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunkBytes = view.getUint32(9);
  const count = view.getUint32(13);
  const sizeBytes = Number(view.getBigUint64(17));
  if (chunkBytes === 0 || count !== Math.ceil(sizeBytes / chunkBytes)) return undefined;
  try {
    const have = new Bitmap(count, bytes.subarray(HEADER_BYTES));
    return { isClean: view.getUint8(8) === 1, chunkBytes, sizeBytes, have };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Bytes of the chunks that the bitmap names. */
export function storedBytes(record: Omit<HaveRecord, 'isClean'>): number {
  const { have, chunkBytes, sizeBytes } = record;
  if (have.size === 0) return 0;
  const lastBytes = sizeBytes - (have.count - 1) * chunkBytes;
  return have.size * chunkBytes - (have.has(have.count - 1) ? chunkBytes - lastBytes : 0);
}
