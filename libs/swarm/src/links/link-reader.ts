import type { Link } from './link.js';

/** The link ended while more was expected. */
export class LinkEndedError extends Error {
  override readonly name = 'LinkEndedError';
}

/** Reads exact lengths from a link, and hands over the rest as pieces. */
export class LinkReader implements AsyncIterable<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array(0);

  constructor(link: Link) {
    this.#pieces = link.incoming[Symbol.asyncIterator]();
  }

  /** @throws {LinkEndedError} when the link ends before */
  async read(lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    for (let filled = 0; ;) {
      const take = Math.min(this.#left.length, lengthBytes - filled);
      bytes.set(this.#left.subarray(0, take), filled);
      this.#left = this.#left.subarray(take);
      filled += take;
      if (filled === lengthBytes) return bytes;
      const next = await this.#pieces.next();
      if (next.done) throw new LinkEndedError(`the link ended ${lengthBytes - filled} bytes early`);
      this.#left = next.value;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    if (this.#left.length > 0) yield this.#left;
    for (;;) {
      const next = await this.#pieces.next();
      if (next.done) return;
      yield next.value;
    }
  }
}
