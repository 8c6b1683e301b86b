/** Buffers that wait to be used again, at most. */
const MAX_SPARE = 64;
/** And their bytes: hardly ever do more than a few wait at once, and a volunteer's memory is somebody else's. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Buffers of whole chunks, used again as soon as nobody can see them any longer: fresh ones cost page faults and garbage collections,
 * which at hundreds of megabytes per second are a large part of the work.
 */
export class ChunkBuffers {
  /** The one that came back last is the last. */
  readonly #spare: Uint8Array[] = [];
  #spareBytes = 0;

  /** A buffer with whatever was in it: its user fills all of it before anybody sees it. */
  take(lengthBytes: number): Uint8Array {
    const index = this.#spare.findLastIndex(({ length }) => length === lengthBytes);
    const [spare] = index < 0 ? [] : this.#spare.splice(index, 1);
    this.#spareBytes -= spare?.length ?? 0;
    return spare ?? new Uint8Array(Buffer.allocUnsafeSlow(lengthBytes).buffer);
  }

  /** Takes back a buffer that nobody else holds, nor any view of it. */
  give(bytes: Uint8Array): void {
    if (bytes.length !== bytes.buffer.byteLength) return;
    this.#spare.push(bytes);
    this.#spareBytes += bytes.length;
    // The oldest leaves, and not the newest: the last chunk of a file is as long as no other, and is never used again.
    while (this.#spare.length > MAX_SPARE || this.#spareBytes > MAX_SPARE_BYTES)
      this.#spareBytes -= this.#spare.shift()?.length ?? 0;
  }
}
