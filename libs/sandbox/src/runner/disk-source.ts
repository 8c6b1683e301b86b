import { closeSync, openSync, readSync } from 'node:fs';
import { pieceAt, type ByteSource } from '../wasi/byte-source.js';

export interface DiskPiece {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Small reads are served from a block of this size, so that an app reading line by line costs few system calls. */
const BLOCK_BYTES = 128 * 1024;
const MAX_OPEN_FILES = 16;

/** An input over parts of files, read when the app reads. Throws where a file is missing or shorter than promised. */
export class DiskSource implements ByteSource {
  readonly size: number;
  readonly #pieces: readonly DiskPiece[];
  readonly #starts: number[] = [];
  readonly #open = new Map<string, number>();
  #block = Buffer.alloc(0);
  #blockStart = 0;

  constructor(pieces: readonly DiskPiece[]) {
    let size = 0;
    for (const piece of pieces) {
      this.#starts.push(size);
      size += piece.length;
    }
    this.size = size;
    this.#pieces = pieces;
  }

  read(offset: number, target: Uint8Array): void {
    if (target.length >= BLOCK_BYTES) {
      this.#readPieces(offset, target);
      return;
    }
    let done = 0;
    while (done < target.length) {
      const at = offset + done;
      if (at < this.#blockStart || at >= this.#blockStart + this.#block.length) this.#fillBlock(at);
      const from = at - this.#blockStart;
      const part = this.#block.subarray(from, from + target.length - done);
      target.set(part, done);
      done += part.length;
    }
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #fillBlock(offset: number): void {
    if (offset >= this.size) throw new RangeError('read beyond the input');
    const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, this.size - offset));
    this.#readPieces(offset, block);
    this.#block = block;
    this.#blockStart = offset;
  }

  #readPieces(offset: number, target: Uint8Array): void {
    let done = 0;
    for (let index = pieceAt(this.#starts, offset); done < target.length; index++) {
      const piece = this.#pieces[index];
      const start = this.#starts[index];
      if (piece === undefined || start === undefined) throw new RangeError('read beyond the input');
      const within = offset + done - start;
      const length = Math.min(piece.length - within, target.length - done);
      this.#readFile(piece, within, target.subarray(done, done + length));
      done += length;
    }
  }

  #readFile(piece: DiskPiece, within: number, target: Uint8Array): void {
    const fd = this.#descriptorOf(piece.path);
    for (let done = 0; done < target.length;) {
      const length = readSync(fd, target, done, target.length - done, piece.offset + within + done);
      if (length === 0) throw new Error(`${piece.path} ended before byte ${piece.offset + piece.length}`);
      done += length;
    }
  }

  #descriptorOf(path: string): number {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    for (const [oldest, fd] of this.#open) {
      if (this.#open.size < MAX_OPEN_FILES) break;
      closeSync(fd);
      this.#open.delete(oldest);
    }
    const fd = openSync(path, 'r');
    this.#open.set(path, fd);
    return fd;
  }
}
