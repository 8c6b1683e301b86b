import type { ByteSource } from './byte-source.js';
import type { Volume } from './volume.js';

/** The bytes of a regular file. Offsets and sizes in bytes; false means that the volume has no room. */
export interface FileContent {
  readonly size: number;
  /** Copies from `offset` into `target` as far as the file reaches; returns the bytes copied. */
  read(offset: number, target: Uint8Array): number;
  write(offset: number, bytes: Uint8Array): boolean;
  resize(size: number): boolean;
  /** Gives back what the content holds of its volume. */
  release(): void;
}

/** A file that shows a source and cannot be written; descriptors of read-only volumes never ask for it. */
export class SourceContent implements FileContent {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.size;
  }

  read(offset: number, target: Uint8Array): number {
    const length = Math.min(target.length, Math.max(0, this.#source.size - offset));
    if (length > 0) this.#source.read(offset, target.subarray(0, length));
    return length;
  }

  write(): boolean {
    return false;
  }

  resize(): boolean {
    return false;
  }

  release(): void {}
}

/** What is allocated at a time costs about as much as the call that makes it necessary. */
const CHUNK_BYTES = 4096;
/** Most files are small: their first chunk starts with this much and grows. */
const FIRST_CAPACITY_BYTES = 256;

/**
 * A file in memory, charged to its volume by its size. Only chunks that something was written to are held; the others
 * read as zeros, so that a write far beyond the end costs no more than one at the end.
 */
export class MemoryContent implements FileContent {
  readonly #volume: Volume;
  /** By number. One may be shorter than a chunk: the rest of it is zeros. */
  readonly #chunks = new Map<number, Uint8Array>();
  #size = 0;

  constructor(volume: Volume) {
    this.#volume = volume;
  }

  get size(): number {
    return this.#size;
  }

  /** The bytes as they stand: a view of the only chunk, or a copy of several. */
  get bytes(): Uint8Array {
    const first = this.#chunks.get(0);
    if (first !== undefined && this.#size <= first.length) return first.subarray(0, this.#size);
    const copy = new Uint8Array(this.#size);
    this.read(0, copy);
    return copy;
  }

  /** The chunks that something was written to, in order: where they begin, and their bytes. All others are zeros. */
  *written(): Generator<readonly [offset: number, bytes: Uint8Array]> {
    for (const index of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      const offset = index * CHUNK_BYTES;
      const bytes = Math.min(CHUNK_BYTES, this.#size - offset);
      yield [offset, this.#chunkWithRoom(index, bytes).subarray(0, bytes)];
    }
  }

  read(offset: number, target: Uint8Array): number {
    const length = Math.min(target.length, Math.max(0, this.#size - offset));
    for (let done = 0; done < length;) {
      const from = (offset + done) % CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - from, length - done);
      const part = this.#chunks.get((offset + done - from) / CHUNK_BYTES)?.subarray(from, from + count);
      if (part !== undefined) target.set(part, done);
      target.fill(0, done + (part?.length ?? 0), done + count);
      done += count;
    }
    return length;
  }

  write(offset: number, bytes: Uint8Array): boolean {
    const end = offset + bytes.length;
    if (end > this.#size && bytes.length > 0 && !this.resize(end)) return false;
    for (let done = 0; done < bytes.length;) {
      const from = (offset + done) % CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - from, bytes.length - done);
      const chunk = this.#chunkWithRoom((offset + done - from) / CHUNK_BYTES, from + count);
      chunk.set(count === bytes.length ? bytes : bytes.subarray(done, done + count), from);
      done += count;
    }
    return true;
  }

  resize(size: number): boolean {
    if (size > this.#size) {
      if (!this.#volume.reserve(size - this.#size)) return false;
    } else {
      this.#volume.giveBack(this.#size - size);
      this.#cut(size);
    }
    this.#size = size;
    return true;
  }

  release(): void {
    this.resize(0);
  }

  /** What lies behind the end must read as zeros when the file grows again. */
  #cut(size: number): void {
    const inLast = size % CHUNK_BYTES;
    const last = (size - inLast) / CHUNK_BYTES;
    for (const index of this.#chunks.keys()) if (index * CHUNK_BYTES >= size) this.#chunks.delete(index);
    this.#chunks.get(last)?.fill(0, inLast);
  }

  #chunkWithRoom(index: number, bytes: number): Uint8Array {
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined && bytes <= chunk.length) return chunk;
    const doubled = Math.max(FIRST_CAPACITY_BYTES, (chunk?.length ?? 0) * 2);
    const larger = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(doubled, bytes)));
    if (chunk !== undefined) larger.set(chunk);
    this.#chunks.set(index, larger);
    return larger;
  }
}
