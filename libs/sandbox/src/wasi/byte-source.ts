/** Random access to the bytes of a read-only file. Implementations may read lazily; they throw where the host fails. */
export interface ByteSource {
  /** Size in bytes, fixed for the life of the source. */
  readonly size: number;
  /** Fills `target` with the bytes from `offset`; the caller keeps `offset + target.length` within `size`. */
  read(offset: number, target: Uint8Array): void;
  /** Gives back what the source holds open. Closing twice is safe. */
  close?(): void;
}

/** A source over pieces in order, which are viewed, never copied. */
export function sourceOfPieces(pieces: readonly Uint8Array[]): ByteSource {
  const starts: number[] = [];
  let size = 0;
  for (const piece of pieces) {
    starts.push(size);
    size += piece.length;
  }
  return {
    size,
    read(offset, target) {
      let done = 0;
      let index = pieceAt(starts, offset);
      while (done < target.length) {
        const piece = pieces[index];
        const start = starts[index];
        if (piece === undefined || start === undefined) throw new RangeError('read beyond the source');
        const from = offset + done - start;
        const part = piece.subarray(from, from + target.length - done);
        target.set(part, done);
        done += part.length;
        index++;
      }
    },
  };
}

/** Index of the last piece that starts at or before `offset`. */
export function pieceAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? Infinity) <= offset) low = middle;
    else high = middle;
  }
  return low;
}
