import { open, readFile, rename, rm } from 'node:fs/promises';
import type { Manifest } from '@gleaner/protocol';
import { Bitmap } from '../engine/bitmap.js';
import { ChunkData, ChunkDamagedError } from './chunk-data.js';
import { decodeHaveRecord, encodeHaveRecord, storedBytes } from './have-file.js';

/**
 * The chunks of one manifest on disk: a sparse data file, and a bitmap in its own file that is written only after the data
 * that it names has reached the disk. Every chunk is verified at its first use after a start; after a crash also without one, while
 * others use the file.
 */
export class ChunkFile {
  #turn: Promise<unknown> = Promise.resolve();
  #isChanged = false;
  #isClosed = false;
  #rechecked: Promise<void> = Promise.resolve();

  private constructor(
    private readonly paths: { readonly data: string; readonly have: string },
    readonly manifest: Manifest,
    private data: ChunkData,
  ) {}

  /** Opens or creates the files. */
  static async open(path: string, manifest: Manifest): Promise<ChunkFile> {
    const paths = { data: `${path}.data`, have: `${path}.have` };
    const bytes = await readFile(paths.have).catch(ignoreAbsent);
    const record = bytes && decodeHaveRecord(bytes);
    const isSame = record?.sizeBytes === manifest.size && record.chunkBytes === manifest.chunk;
    const have = isSame ? record.have : new Bitmap(manifest.hashes.length);
    const data = await ChunkData.open(paths.data, manifest, have);
    try {
      const file = new ChunkFile(paths, manifest, data);
      await file.#writeHave(false);
      if (isSame && !record.isClean) file.#rechecked = file.#recheck([...have]);
      return file;
    } catch (error) {
      await data.close();
      throw error;
    }
  }

  /** Resolves when everything that a crash may have damaged has been verified. */
  get rechecked(): Promise<void> {
    return this.#rechecked;
  }

  /** The file that holds every chunk at its own offset. */
  get dataPath(): string {
    return this.paths.data;
  }

  get have(): Bitmap {
    return this.data.have;
  }

  /** Chunks that need not be verified again while this file is open. */
  get verified(): Bitmap {
    return this.data.verified;
  }

  /** Bytes of the chunks that are present. */
  get storedBytes(): number {
    return storedBytes({ have: this.have, chunkBytes: this.manifest.chunk, sizeBytes: this.manifest.size });
  }

  /** Length of a chunk in bytes: the last may be short. */
  chunkLength(index: number): number {
    return this.data.chunkLength(index);
  }

  /** Stores a chunk that the caller has compared with the manifest. */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    // In turn: what is written while the file is being replaced would be lost.
    await this.#inTurn(() => this.data.write(index, bytes));
    this.#isChanged = true;
  }

  /** Takes note of a chunk that the swarm's process has verified and written into the data file. */
  markStored(index: number): void {
    if (this.data.markStored(index)) this.#isChanged = true;
  }

  /** The chunk turned out to be damaged. */
  forget(index: number): void {
    if (this.data.forget(index)) this.#isChanged = true;
  }

  /**
   * A whole chunk, verified at least once since the file was opened.
   *
   * @throws {RangeError} when the chunk is absent
   * @throws {ChunkDamagedError} when the disk returned something else
   */
  async read(index: number): Promise<Uint8Array> {
    try {
      return await this.data.read(index);
    } catch (error) {
      if (error instanceof ChunkDamagedError) this.#isChanged = true;
      throw error;
    }
  }

  /** Whether the data are where they were: whoever opens the path finds all chunks. */
  async isInPlace(): Promise<boolean> {
    // In turn: they are elsewhere while they are being replaced.
    return this.#inTurn(() => this.data.isInPlace());
  }

  /** Whether the chunk is there and whole; a damaged one is forgotten. Reads it at its first use only. */
  async verify(index: number): Promise<boolean> {
    // In turn: the data must not be replaced while they are read.
    return this.#inTurn(async () => {
      const isGood = !this.#isClosed && this.have.has(index) && (await this.data.verify(index));
      if (!isGood) this.#isChanged = true;
      return isGood;
    });
  }

  /**
   * Keeps only these chunks and gives the rest of the disk back: a new sparse file takes the old one's place. Whoever has the
   * old one open can still read it, and must not write to it.
   */
  async shrinkTo(keep: ReadonlySet<number>): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#isClosed) return;
      const temporary = `${this.paths.data}.new`;
      await rm(temporary, { force: true });
      const smaller = await ChunkData.open(temporary, this.manifest, new Bitmap(this.have.count));
      try {
        try {
          for (const index of keep) {
            const isThere = this.have.has(index) && (await this.data.verify(index));
            if (isThere) await smaller.write(index, await this.data.read(index));
          }
        } finally {
          await smaller.close();
        }
        // The smaller bitmap first: it is true of the old file as well.
        await this.#writeHave(false, smaller.have);
        await rename(temporary, this.paths.data);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      await this.data.close();
      this.data = await ChunkData.open(this.paths.data, this.manifest, smaller.have);
      for (const index of smaller.have) this.data.markStored(index);
    });
  }

  /** Makes everything written so far survive a crash. */
  async flush(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#isChanged && !this.#isClosed) await this.#writeHave(false);
    });
  }

  /** Flushes and closes; closing twice is safe. */
  async close(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      try {
        await this.#writeHave(true);
      } finally {
        await this.data.close();
      }
    });
  }

  async #recheck(chunks: readonly number[]): Promise<void> {
    try {
      for (const index of chunks) if (!this.#isClosed) await this.verify(index);
    } catch {
      // What cannot be read now is verified, or fails, at its first use.
    }
  }

  /** One after the other: a flush never meets a file that is being replaced. */
  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #writeHave(isClean: boolean, have = this.have): Promise<void> {
    this.#isChanged = false;
    // The bits as of now; chunks that are written during the sync come with the next flush.
    const record = encodeHaveRecord({
      isClean,
      chunkBytes: this.manifest.chunk,
      sizeBytes: this.manifest.size,
      have,
    });
    try {
      await this.data.sync();
      await this.#replaceHave(record);
    } catch (error) {
      // As on a full disk: the next flush tries again.
      this.#isChanged = true;
      throw error;
    }
  }

  async #replaceHave(record: Uint8Array): Promise<void> {
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
}

function ignoreAbsent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
