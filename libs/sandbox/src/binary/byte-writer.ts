const encoder = new TextEncoder();

/** A growing buffer with the primitive encodings of the binary format. */
export class ByteWriter {
  #bytes: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** What has been written; a view that the next write may invalidate. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  u8(byte: number): this {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = byte;
    return this;
  }

  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.u8(rest);
  }

  /** Signed LEB128 of a safe integer. */
  signed(value: number): this {
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = Math.floor(rest / 128);
      if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  /** Copies bytes[start, end): short ranges by hand, because a typed-array view costs more than they do. */
  copy(bytes: Uint8Array, start: number, end: number): this {
    if (end - start > 48) return this.raw(bytes.subarray(start, end));
    this.#reserve(end - start);
    for (let i = start; i < end; i++) this.#bytes[this.length++] = bytes[i]!; // The caller's range lies in bytes.
    return this;
  }

  name(name: string): this {
    const bytes = encoder.encode(name);
    return this.u32(bytes.length).raw(bytes);
  }

  /** A section or body: the length of `content`, then `content`. */
  sized(content: ByteWriter): this {
    return this.u32(content.length).raw(content.view());
  }

  clear(): this {
    this.length = 0;
    return this;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes > this.#bytes.length) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + bytes));
    larger.set(this.view());
    this.#bytes = larger;
  }
}
