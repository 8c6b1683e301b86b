const decoder = new TextDecoder();

/** Keeps the last bytes of a stream of any length. */
export class TextTail {
  readonly #limitBytes: number;
  #bytes = new Uint8Array(0);

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The kept bytes; a snapshot's are put back by writing them. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  write(bytes: Uint8Array): void {
    const kept = this.#bytes.subarray(Math.max(0, this.#bytes.length + bytes.length - this.#limitBytes));
    const added = bytes.subarray(Math.max(0, bytes.length - this.#limitBytes));
    const next = new Uint8Array(kept.length + added.length);
    next.set(kept);
    next.set(added, kept.length);
    this.#bytes = next;
  }

  /** The kept bytes as text, without the half of a character that the cut may have left at its start. */
  text(): string {
    if (this.#bytes.length === 0) return '';
    let start = 0;
    while (start < 4 && ((this.#bytes[start] ?? 0) & 0xc0) === 0x80) start++;
    return decoder.decode(this.#bytes.subarray(start));
  }
}
