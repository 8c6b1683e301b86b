import { bitmapOf, type ChunkBitmap } from './chunk-copies.js';

/** Below so many copies among volunteers a chunk of an open job is in danger of being the origin's alone. */
export const WANTED_COPIES = 2;

export interface ReplicaCandidate {
  readonly manifestId: string;
  readonly chunkBytes: number;
  readonly sizeBytes: number;
  /** Copies of each chunk, those on offer to other hosts included. */
  readonly copies: readonly number[];
}

export interface ReplicaPlan {
  readonly manifestId: string;
  /** The chunks that the host is asked to keep. */
  readonly chunks: ChunkBitmap;
  readonly count: number;
  readonly bytes: number;
}

export interface ReplicaRoom {
  /** Bytes that the host offers. */
  readonly freeBytes: number;
  /** Manifests that it holds already, wholly or in part: another copy there would not be another place. */
  readonly holds: ReadonlySet<string>;
  readonly mostFiles: number;
}

/**
 * Which chunks a willing host should keep: the rarest first, among equals in random order, of the files whose rarest chunks
 * are rarest; never more than fits. Chunks with {@link WANTED_COPIES} are not offered.
 *
 * @param random uniform in [0, 1); different hosts so get different chunks of a file that does not fit
 */
export function planReplicas(
  candidates: readonly ReplicaCandidate[],
  room: ReplicaRoom,
  random: () => number,
): ReplicaPlan[] {
  const endangered = candidates
    .filter(({ manifestId }) => !room.holds.has(manifestId))
    .map((candidate) => ({ candidate, least: Math.min(WANTED_COPIES, ...candidate.copies), draw: random() }))
    .filter(({ least }) => least < WANTED_COPIES)
    .toSorted((a, b) => a.least - b.least || a.draw - b.draw);
  const plans: ReplicaPlan[] = [];
  let freeBytes = room.freeBytes;
  for (const { candidate } of endangered) {
    if (plans.length >= room.mostFiles) break;
    const { manifestId, chunkBytes, sizeBytes, copies } = candidate;
    const wanted = copies
      .map((count, chunk) => ({ chunk, count, draw: random() }))
      .filter(({ count }) => count < WANTED_COPIES)
      .toSorted((a, b) => a.count - b.count || a.draw - b.draw);
    const taken: number[] = [];
    let bytes = 0;
    for (const { chunk } of wanted) {
      const length = Math.min(chunkBytes, sizeBytes - chunk * chunkBytes);
      if (bytes + length > freeBytes) break;
      bytes += length;
      taken.push(chunk);
    }
    if (taken.length === 0) continue;
    freeBytes -= bytes;
    plans.push({ manifestId, chunks: bitmapOf(copies.length, taken), count: taken.length, bytes });
  }
  return plans;
}
