/** A set of chunk indices below a fixed count. Bit `i % 8` (from the least significant) of byte `i / 8` is chunk i. */
export class Bitmap {
  readonly bytes: Uint8Array;
  #size = 0;

  /** @throws {RangeError} when the bytes do not fit the count, or name chunks beyond it */
  constructor(
    readonly count: number,
    bytes?: Uint8Array,
  ) {
    this.bytes = new Uint8Array(Math.ceil(count / 8));
    if (!bytes) return;
    if (bytes.length !== this.bytes.length)
      throw new RangeError(`${bytes.length} bytes are no bitmap of ${count}`);
    if (count % 8 !== 0 && (bytes.at(-1) ?? 0) >> (count % 8) !== 0) {
      throw new RangeError(`the bitmap names chunks beyond ${count}`);
    }
    this.bytes.set(bytes);
    for (let index = 0; index < count; index += 1) if (this.has(index)) this.#size += 1;
  }

  static of(count: number, indices: Iterable<number>): Bitmap {
    const bitmap = new Bitmap(count);
    for (const index of indices) bitmap.add(index);
    return bitmap;
  }

  /** How many chunks are in the set. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === this.count;
  }

  has(index: number): boolean {
    return ((this.bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** Says whether the set has changed. */
  add(index: number): boolean {
    if (index < 0 || index >= this.count) throw new RangeError(`no chunk ${index} of ${this.count}`);
    if (this.has(index)) return false;
    this.bytes[index >> 3] = (this.bytes[index >> 3] ?? 0) | (1 << (index & 7));
    this.#size += 1;
    return true;
  }

  /** Says whether the set has changed. */
  delete(index: number): boolean {
    if (!this.has(index)) return false;
    this.bytes[index >> 3] = (this.bytes[index >> 3] ?? 0) & ~(1 << (index & 7));
    this.#size -= 1;
    return true;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let index = 0; index < this.count; index += 1) if (this.has(index)) yield index;
  }
}
