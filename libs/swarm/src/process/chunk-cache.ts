/** The chunks that were received or served last, in memory: what just arrived is what others ask for next. */
export class ChunkCache {
  readonly #chunks = new Map<string, { readonly bytes: Promise<Uint8Array>; readonly length: number }>();
  #heldBytes = 0;

  constructor(private readonly maxBytes: number) {}

  put(key: string, bytes: Promise<Uint8Array>, lengthBytes: number): void {
    this.delete(key);
    this.#chunks.set(key, { bytes, length: lengthBytes });
    this.#heldBytes += lengthBytes;
    for (const [oldest] of this.#chunks) {
      if (this.#heldBytes <= this.maxBytes) return;
      this.delete(oldest);
    }
  }

  get(key: string): Promise<Uint8Array> | undefined {
    const entry = this.#chunks.get(key);
    if (!entry) return undefined;
    this.#chunks.delete(key);
    this.#chunks.set(key, entry);
    return entry.bytes;
  }

  delete(key: string): void {
    const entry = this.#chunks.get(key);
    if (!entry) return;
    this.#chunks.delete(key);
    this.#heldBytes -= entry.length;
  }
}
