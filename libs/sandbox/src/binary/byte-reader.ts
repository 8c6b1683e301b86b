import { ModuleFault } from './module-fault.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The greatest number of something that a module may have. */
export interface CountLimit {
  readonly what: string;
  readonly most: number;
}

/** Reads the primitive encodings of the binary format from a range of bytes; every fault carries its offset. */
export class ByteReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
  }

  get atEnd(): boolean {
    return this.offset >= this.end;
  }

  u8(): number {
    if (this.offset >= this.end) this.#ended();
    return this.bytes[this.offset++]!; // In range by the check above.
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    const at = this.offset;
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ModuleFault('malformed-integer', at, 'An integer is longer than 32 bits.');
  }

  /** Signed LEB128 of at most 33 bits; wider than 32 only for block types, which are small. */
  s33(): number {
    const at = this.offset;
    const first = this.u8();
    if (first < 0x80) return (first << 25) >> 25;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : value - 2 ** (shift + 7);
    }
    throw new ModuleFault('malformed-integer', at, 'A signed integer is longer than 33 bits.');
  }

  /** Skips a LEB128 integer of at most `bytes` bytes. */
  skipLeb(bytes: number): void {
    const at = this.offset;
    for (let i = 0; i < bytes; i++) if (this.u8() < 0x80) return;
    throw new ModuleFault('malformed-integer', at, `An integer is longer than ${bytes} bytes.`);
  }

  skip(bytes: number): void {
    if (bytes > this.end - this.offset) this.#ended();
    this.offset += bytes;
  }

  /** A length-prefixed UTF-8 name. */
  name(): string {
    const length = this.u32();
    const start = this.offset;
    this.skip(length);
    try {
      return decoder.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw new ModuleFault('malformed-name', start, 'A name is not valid UTF-8.');
    }
  }

  /**
   * The count of a vector whose items take at least one byte each, so that a count alone cannot demand memory. Where
   * items become objects, `limit` bounds how many, before the first is read.
   */
  count(limit?: CountLimit): number {
    const at = this.offset;
    const count = this.u32();
    if (count > this.end - this.offset)
      throw new ModuleFault('malformed-vector', at, 'A vector is longer than its section.');
    if (limit !== undefined && count > limit.most) {
      throw new ModuleFault('too-large', at, `There are ${count} ${limit.what}; the limit is ${limit.most}.`);
    }
    return count;
  }

  #ended(): never {
    throw new ModuleFault('unexpected-end', this.offset, 'The module ends in the middle of an item.');
  }
}
