import type { UnitWindows } from '@gleaner/protocol';
import { hasChunk, type ChunkBitmap } from './chunk-copies.js';

/** Consecutive chunks of a file, `to` exclusive. */
export interface ChunkRun {
  readonly from: number;
  readonly to: number;
}

/** An input of a job, as far as its chunks go. */
export interface ChunkedInput {
  /** In the job file. */
  readonly name: string;
  readonly manifestId: string;
  readonly sizeBytes: number;
  readonly chunkBytes: number;
}

/**
 * Whether a host holds every chunk that a unit needs: of an input that the job's split cuts those that the unit's window touches,
 * of any other input all. Who needs no input has all of it.
 *
 * @param held runs of chunks by manifest, ascending
 */
export function holdsUnit(
  inputs: readonly ChunkedInput[],
  windows: UnitWindows,
  held: ReadonlyMap<string, readonly ChunkRun[]>,
): boolean {
  return inputs.every(({ name, manifestId, sizeBytes, chunkBytes }) => {
    // An input may be named like something that every object has.
    const window = Object.hasOwn(windows, name) ? windows[name] : undefined;
    const { offset, length } = window ?? { offset: 0, length: sizeBytes };
    if (length === 0) return true;
    const needed = { from: Math.floor(offset / chunkBytes), to: Math.ceil((offset + length) / chunkBytes) };
    return covers(held.get(manifestId) ?? [], needed);
  });
}

/** Whether the runs, ascending, hold all chunks of one more. */
function covers(runs: readonly ChunkRun[], { from, to }: ChunkRun): boolean {
  let next = from;
  for (const run of runs) {
    if (run.from > next) return false;
    next = Math.max(next, run.to);
    if (next >= to) return true;
  }
  return next >= to;
}

/** The runs of a bitmap in ascending order; the longest ones where there are more than `most`. */
export function runsOf(bitmap: ChunkBitmap, chunks: number, most: number): ChunkRun[] {
  const runs: ChunkRun[] = [];
  for (let from = 0; from < chunks; from += 1) {
    if (!hasChunk(bitmap, from)) continue;
    let to = from + 1;
    while (to < chunks && hasChunk(bitmap, to)) to += 1;
    runs.push({ from, to });
    from = to;
  }
  if (runs.length <= most) return runs;
  const longest = runs.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, most);
  return longest.toSorted((a, b) => a.from - b.from);
}
