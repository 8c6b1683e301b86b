interface Entry {
  readonly bytes: Promise<Uint8Array>;
  readonly length: number;
  /** Known at once, and asked for by nobody so far: nobody else holds it. */
  own: Uint8Array | undefined;
}

/** The chunks that were received or served last, in memory: what just arrived is what others ask for next. */
export class ChunkCache {
  readonly #chunks = new Map<string, Entry>();
  #heldBytes = 0;

  /** @param onUnused given the chunks that left without having been asked for */
  constructor(
    private readonly maxBytes: number,
    private readonly onUnused: (bytes: Uint8Array) => void,
  ) {}

  /** Keeps a chunk that nobody else holds. */
  putOwn(key: string, bytes: Uint8Array): void {
    this.#put(key, { bytes: Promise.resolve(bytes), length: bytes.length, own: bytes });
  }

  /** Keeps a chunk that somebody waits for. */
  put(key: string, bytes: Promise<Uint8Array>, lengthBytes: number): void {
    this.#put(key, { bytes, length: lengthBytes, own: undefined });
  }

  get(key: string): Promise<Uint8Array> | undefined {
    const entry = this.#chunks.get(key);
    if (!entry) return undefined;
    entry.own = undefined;
    this.#chunks.delete(key);
    this.#chunks.set(key, entry);
    return entry.bytes;
  }

  delete(key: string): void {
    const entry = this.#chunks.get(key);
    if (!entry) return;
    this.#chunks.delete(key);
    this.#heldBytes -= entry.length;
    if (entry.own) this.onUnused(entry.own);
  }

  #put(key: string, entry: Entry): void {
    this.delete(key);
    this.#chunks.set(key, entry);
    this.#heldBytes += entry.length;
    for (const [oldest] of this.#chunks) {
      if (this.#heldBytes <= this.maxBytes) return;
      this.delete(oldest);
    }
  }
}
