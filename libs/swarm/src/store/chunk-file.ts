import { createHash } from 'node:crypto';
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import type { Manifest } from '@gleaner/protocol';
import { Bitmap } from '../engine/bitmap.js';
import { decodeHaveRecord, encodeHaveRecord, storedBytes } from './have-file.js';

/** A stored chunk is not what the manifest says; it is forgotten and has to be fetched again. */
export class ChunkDamagedError extends Error {
  override readonly name = 'ChunkDamagedError';
  constructor(
    readonly path: string,
    readonly chunk: number,
  ) {
    super(`chunk ${chunk} in ${path} is damaged`);
  }
}

/**
 * The chunks of one manifest: a sparse data file, and a bitmap in its own file that is written only after the data that it
 * names has reached the disk. After a crash every chunk is verified at the next start; otherwise at its first use.
 */
export class ChunkFile {
  readonly #verified: Bitmap;
  #flushing: Promise<void> = Promise.resolve();
  #isChanged = false;
  #isClosed = false;

  private constructor(
    private readonly paths: { readonly data: string; readonly have: string },
    readonly manifest: Manifest,
    private readonly data: FileHandle,
    readonly have: Bitmap,
    verified: Bitmap,
  ) {
    this.#verified = verified;
  }

  /** Opens or creates the files. Reads through all chunks when the last owner did not close them. */
  static async open(path: string, manifest: Manifest): Promise<ChunkFile> {
    const paths = { data: `${path}.data`, have: `${path}.have` };
    const count = manifest.hashes.length;
    const bytes = await readFile(paths.have).catch(ignoreAbsent);
    const record = bytes && decodeHaveRecord(bytes);
    const isSame = record?.sizeBytes === manifest.size && record.chunkBytes === manifest.chunk;
    const have = isSame ? record.have : new Bitmap(count);
    const data = await open(paths.data, 'r+').catch(async (error: unknown) => {
      ignoreAbsent(error);
      return open(paths.data, 'w+', 0o600);
    });
    try {
      const file = new ChunkFile(paths, manifest, data, have, new Bitmap(count));
      if (isSame && !record.isClean) await file.#verifyAll();
      await file.#writeHave(false);
      return file;
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  get dataPath(): string {
    return this.paths.data;
  }

  /** Bytes of the chunks that are present. */
  get storedBytes(): number {
    return storedBytes({ have: this.have, chunkBytes: this.manifest.chunk, sizeBytes: this.manifest.size });
  }

  chunkLength(index: number): number {
    return Math.min(this.manifest.chunk, this.manifest.size - index * this.manifest.chunk);
  }

  /** Stores a chunk that the caller has compared with the manifest. */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length !== this.chunkLength(index))
      throw new RangeError(`chunk ${index} has not ${bytes.length} bytes`);
    if (this.have.has(index)) return;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.data.write(
        bytes,
        done,
        bytes.length - done,
        index * this.manifest.chunk + done,
      );
      done += bytesWritten;
    }
    this.#verified.add(index);
    this.have.add(index);
    this.#isChanged = true;
  }

  /**
   * A whole chunk, verified at least once since the file was opened.
   *
   * @throws {RangeError} when the chunk is absent
   * @throws {ChunkDamagedError} when the disk returned something else
   */
  async read(index: number): Promise<Uint8Array> {
    if (!this.have.has(index)) throw new RangeError(`chunk ${index} is not in ${this.paths.data}`);
    const bytes = new Uint8Array(this.chunkLength(index));
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await this.data.read(
        bytes,
        done,
        bytes.length - done,
        index * this.manifest.chunk + done,
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    if (this.#verified.has(index)) return bytes;
    if (done < bytes.length || sha256Hex(bytes) !== this.manifest.hashes[index]) {
      this.have.delete(index);
      this.#isChanged = true;
      throw new ChunkDamagedError(this.paths.data, index);
    }
    this.#verified.add(index);
    return bytes;
  }

  /** Makes everything written so far survive a crash. */
  async flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flushOnce());
    return this.#flushing;
  }

  /** Flushes and closes; closing twice is safe. */
  async close(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#closeOnce());
    return this.#flushing;
  }

  async #flushOnce(): Promise<void> {
    if (this.#isChanged && !this.#isClosed) await this.#writeHave(false);
  }

  async #closeOnce(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#writeHave(true);
    } finally {
      await this.data.close();
    }
  }

  async #writeHave(isClean: boolean): Promise<void> {
    this.#isChanged = false;
    // The bits as of now; chunks that are written during the sync come with the next flush.
    const record = encodeHaveRecord({
      isClean,
      chunkBytes: this.manifest.chunk,
      sizeBytes: this.manifest.size,
      have: this.have,
    });
    await this.data.datasync();
    const temporary = `${this.paths.have}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(record);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.paths.have);
  }

  async #verifyAll(): Promise<void> {
    for (const index of this.have) {
      await this.read(index).catch((error: unknown) => {
        if (!(error instanceof ChunkDamagedError)) throw error;
      });
    }
  }
}

function ignoreAbsent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
