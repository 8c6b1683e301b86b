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

const FIRST_CAPACITY_BYTES = 256;

/** A file in memory, charged to its volume by its size. */
export class MemoryContent implements FileContent {
  readonly #volume: Volume;
  #bytes = new Uint8Array(0);
  #size = 0;

  constructor(volume: Volume) {
    this.#volume = volume;
  }

  get size(): number {
    return this.#size;
  }

  /** The bytes as they stand, viewed. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  read(offset: number, target: Uint8Array): number {
    if (offset >= this.#size) return 0;
    const part = this.#bytes.subarray(offset, Math.min(this.#size, offset + target.length));
    target.set(part);
    return part.length;
  }

  write(offset: number, bytes: Uint8Array): boolean {
    const end = offset + bytes.length;
    if (end > this.#size && bytes.length > 0 && !this.resize(end)) return false;
    this.#bytes.set(bytes, offset);
    return true;
  }

  resize(size: number): boolean {
    if (size > this.#size) {
      if (!this.#volume.reserve(size - this.#size)) return false;
      this.#grow(size);
    } else {
      this.#volume.giveBack(this.#size - size);
      // What lies behind the end must read as zeros when the file grows again.
      if (size === 0) this.#bytes = new Uint8Array(0);
      else this.#bytes.fill(0, size, this.#size);
    }
    this.#size = size;
    return true;
  }

  release(): void {
    this.resize(0);
  }

  #grow(size: number): void {
    if (size <= this.#bytes.length) return;
    const capacity = Math.min(
      Math.max(FIRST_CAPACITY_BYTES, this.#bytes.length * 2, size),
      Math.max(size, this.#volume.limitBytes),
    );
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes);
    this.#bytes = grown;
  }
}
