import { open, stat, type FileHandle } from 'node:fs/promises';
import type { Manifest } from '@gleaner/protocol';
import { Bitmap } from '../engine/bitmap.js';
import { sha256Hex } from '../sha256.js';

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
 * The sparse file that holds a manifest's chunks, each at its own offset, and what of it is there. Two processes may share the
 * file as long as each tells the other what it wrote: the store, which owns it, and the swarm's process.
 */
export class ChunkData {
  private constructor(
    readonly path: string,
    readonly manifest: Manifest,
    readonly have: Bitmap,
    /** Chunks that were compared with the manifest since they were written, or since the first owner of this run opened them. */
    readonly verified: Bitmap,
    private readonly data: FileHandle,
  ) {}

  /**
   * Opens or creates the file.
   *
   * @param have chunks that it holds
   * @param verified those that need not be verified at their first use, because another process of this run has done so
   */
  static async open(
    path: string,
    manifest: Manifest,
    have: Bitmap,
    verified: Bitmap = new Bitmap(have.count),
  ): Promise<ChunkData> {
    const data = await open(path, 'r+').catch(async (error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      return open(path, 'w+', 0o600);
    });
    return new ChunkData(path, manifest, have, verified, data);
  }

  /** Length of a chunk in bytes: the last may be short. */
  chunkLength(index: number): number {
    return Math.min(this.manifest.chunk, this.manifest.size - index * this.manifest.chunk);
  }

  /**
   * Stores a chunk that the caller has compared with the manifest.
   *
   * @throws {RangeError} when it has another length
   */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length !== this.chunkLength(index))
      throw new RangeError(`chunk ${index} has not ${bytes.length} bytes`);
    if (this.have.has(index)) return;
    const position = index * this.manifest.chunk;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.data.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
    this.markStored(index);
  }

  /** Takes note of a chunk that the other process has verified and written. Says whether that is news. */
  markStored(index: number): boolean {
    this.verified.add(index);
    return this.have.add(index);
  }

  /** The chunk counts as absent from now on. Says whether that is news. */
  forget(index: number): boolean {
    this.verified.delete(index);
    return this.have.delete(index);
  }

  /**
   * A whole chunk, verified at least once since the file was opened.
   *
   * @throws {RangeError} when the chunk is absent
   * @throws {ChunkDamagedError} when the disk returned something else
   */
  async read(index: number): Promise<Uint8Array> {
    if (!this.have.has(index)) throw new RangeError(`chunk ${index} is not in ${this.path}`);
    // Not zeroed: it is filled before anybody sees it.
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(this.chunkLength(index)).buffer);
    const position = index * this.manifest.chunk;
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await this.data.read(bytes, done, bytes.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    const isWhole = done === bytes.length;
    if (isWhole && this.verified.has(index)) return bytes;
    if (!isWhole || sha256Hex(bytes) !== this.manifest.hashes[index]) {
      this.forget(index);
      throw new ChunkDamagedError(this.path, index);
    }
    this.verified.add(index);
    return bytes;
  }

  /** Reads a chunk that was not verified since the file was opened; false when it was damaged, and forgotten. */
  async verify(index: number): Promise<boolean> {
    if (this.verified.has(index) && this.have.has(index)) return true;
    try {
      await this.read(index);
      return true;
    } catch (error) {
      if (error instanceof ChunkDamagedError || error instanceof RangeError) return false;
      throw error;
    }
  }

  /** Whether the file is still the one at its path, and as long as what it holds: somebody may have made room on the disk. */
  async isInPlace(): Promise<boolean> {
    const [own, there] = await Promise.all([this.data.stat(), stat(this.path).catch(() => undefined)]);
    if (there?.ino !== own.ino || there.dev !== own.dev) return false;
    let last = this.have.count - 1;
    while (last >= 0 && !this.have.has(last)) last -= 1;
    return last < 0 || own.size >= last * this.manifest.chunk + this.chunkLength(last);
  }

  /** Resolves when what was written has reached the disk, by whichever process. */
  async sync(): Promise<void> {
    await this.data.datasync();
  }

  /** Call it once. */
  async close(): Promise<void> {
    await this.data.close();
  }
}
