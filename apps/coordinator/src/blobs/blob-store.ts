import type { Readable } from 'node:stream';
import type { HashedContent } from './hash-content.js';

/** Injection token of the {@link BlobStore}. */
export const BLOB_STORE = Symbol('BLOB_STORE');

/** Parts that {@link BlobStore.listOld} is asked for one by one. */
export const BLOB_STORE_PARTS = 256;

export interface ByteRange {
  /** First byte, inclusive. */
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
}

/** Where the bytes are. Files on this machine's disk now; an object store would be another implementation. */
export interface BlobStore {
  /** Path of a new file on the store's own volume, so that {@link BlobStore.adopt} copies nothing. */
  temporaryPath(): string;
  /**
   * Makes a complete file durable under its content's name, and its manifest beside it. Replaces what is there. The file stays
   * where it was, too, for as long as its owner likes, unless the volume knows no second names: it is not to be written any more.
   * One that is gone, because another coordinator has adopted it at the same moment, is no error.
   */
  adopt(path: string, content: HashedContent): Promise<void>;
  /** @throws {Error} `ENOENT` where there is no such content */
  open(sha256: string, range?: ByteRange): Promise<Readable>;
  has(sha256: string): Promise<boolean>;
  readManifest(sha256: string): Promise<Buffer>;
  /** Forgets content and manifest. Removing what is not there is no error. */
  remove(sha256: string): Promise<void>;
  /**
   * Digests of what was written this long ago, of one part of all: the whole may be millions of files.
   *
   * @param part 0 to {@link BLOB_STORE_PARTS} - 1
   */
  listOld(part: number, olderThanMs: number): Promise<string[]>;
  freeBytes(): Promise<number>;
  /** Removes what interrupted requests left behind this long ago. Returns how many files went. */
  removeAbandoned(olderThanMs: number): Promise<number>;
}
