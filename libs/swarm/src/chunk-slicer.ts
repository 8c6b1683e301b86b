/** A run of neighbouring chunks, `end` exclusive. */
export interface ChunkRun {
  readonly start: number;
  readonly end: number;
}

/**
 * Joins neighbouring chunk indices into runs of at most `maxChunks`, so that one Range request fetches many.
 *
 * @param indices ascending and distinct
 */
export function runsOfChunks(indices: readonly number[], maxChunks: number): ChunkRun[] {
  const runs: ChunkRun[] = [];
  for (const index of indices) {
    const last = runs.at(-1);
    if (last?.end === index && last.end - last.start < maxChunks) {
      runs[runs.length - 1] = { start: last.start, end: index + 1 };
    } else {
      runs.push({ start: index, end: index + 1 });
    }
  }
  return runs;
}

/** Cuts a byte stream into pieces of given lengths, copying each byte once. Holds at most one piece. */
export class ChunkSlicer {
  #piece: Uint8Array;
  #filled = 0;
  #next = 0;

  /** @param lengths bytes of each piece, in order */
  constructor(private readonly lengths: readonly number[]) {
    this.#piece = new Uint8Array(lengths[0] ?? 0);
  }

  /** Pieces not yet complete. */
  get missing(): number {
    return this.lengths.length - this.#next;
  }

  /** Takes bytes in and yields the pieces that they complete. Bytes beyond the last piece are dropped. */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    let offset = 0;
    while (offset < bytes.length && this.#next < this.lengths.length) {
      const take = Math.min(bytes.length - offset, this.#piece.length - this.#filled);
      this.#piece.set(bytes.subarray(offset, offset + take), this.#filled);
      this.#filled += take;
      offset += take;
      if (this.#filled < this.#piece.length) return;
      const complete = this.#piece;
      this.#next += 1;
      this.#piece = new Uint8Array(this.lengths[this.#next] ?? 0);
      this.#filled = 0;
      yield complete;
    }
  }
}
