/** Buffers that wait to be used again, at most. */
const MAX_SPARE = 64;

/**
 * Buffers of whole chunks, used again as soon as nobody can see them any longer: fresh ones cost page faults and garbage collections,
 * which at hundreds of megabytes per second are a large part of the work.
 */
export class ChunkBuffers {
  readonly #spare: Uint8Array[] = [];

  /** A buffer with whatever was in it: its user fills all of it before anybody sees it. */
  take(lengthBytes: number): Uint8Array {
    const index = this.#spare.findLastIndex(({ length }) => length === lengthBytes);
    const [spare] = index < 0 ? [] : this.#spare.splice(index, 1);
    return spare ?? new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
  }

  /** Takes back a buffer that nobody else holds, nor any view of it. */
  give(bytes: Uint8Array): void {
    const isWhole = bytes.length === bytes.buffer.byteLength;
    if (isWhole && this.#spare.length < MAX_SPARE) this.#spare.push(bytes);
  }
}
