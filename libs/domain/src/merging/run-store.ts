/** A sorted run that was set aside. */
export interface StoredRun {
  read(): AsyncIterable<Uint8Array>;
  /** Frees its space; twice is safe. */
  discard(): Promise<void>;
}

/** Where an external sort sets runs aside: a temporary directory, or memory for small local runs and tests. */
export interface RunStore {
  /**
   * Keeps a run until it is discarded.
   *
   * @throws when the store's own bound is exceeded
   */
  write(content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredRun>;
}

/** Runs in memory, `maxBytes` together. */
export function memoryRunStore(maxBytes = Number.POSITIVE_INFINITY): RunStore {
  let heldBytes = 0;
  return {
    async write(content) {
      let pieces: Uint8Array[] = [];
      let bytes = 0;
      for await (const piece of content) {
        pieces.push(piece);
        bytes += piece.length;
        heldBytes += piece.length;
        if (heldBytes > maxBytes) throw new RangeError(`sorted runs exceed ${maxBytes} bytes of memory`);
      }
      return {
        async *read() {
          yield* pieces;
        },
        async discard() {
          heldBytes -= bytes;
          bytes = 0;
          pieces = [];
        },
      };
    },
  };
}
