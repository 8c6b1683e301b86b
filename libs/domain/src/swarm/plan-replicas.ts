import { bitmapOf, hasChunk, type ChunkBitmap } from './chunk-copies.js';

/** Below so many copies among volunteers a chunk of an open job is in danger of being the origin's alone. */
export const WANTED_COPIES = 2;

export interface ReplicaCandidate {
  readonly manifestId: string;
  readonly chunkBytes: number;
  readonly sizeBytes: number;
  /** Copies of each chunk, those on offer included. */
  readonly copies: readonly number[];
  /** What the host has of the file, or was asked to keep; null where it does not say. */
  readonly own: ChunkBitmap | null;
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
  /** Manifests that it holds already, wholly or in part. */
  readonly holds: ReadonlySet<string>;
  readonly mostFiles: number;
}

/**
 * Which chunks a willing host should keep: the rarest first, among equals in random order, of the files whose rarest chunks
 * are rarest; never more than fits. Chunks with {@link WANTED_COPIES} are not offered, nor what the host has already: another copy
 * there would not be another place. Of a file that it holds without saying what of it nothing is offered.
 *
 * @param random uniform in [0, 1); different hosts so get different chunks of a file that does not fit
 */
export function planReplicas(
  candidates: readonly ReplicaCandidate[],
  room: ReplicaRoom,
  random: () => number,
): ReplicaPlan[] {
  const endangered = candidates
    .filter(({ manifestId, own }) => own !== null || !room.holds.has(manifestId))
    .map((candidate) => ({ candidate, rare: rareChunks(candidate), draw: random() }))
    .filter(({ rare }) => rare.length > 0)
    .map((found) => ({ ...found, least: Math.min(...found.rare.map(({ count }) => count)) }))
    .toSorted((a, b) => a.least - b.least || a.draw - b.draw);
  const plans: ReplicaPlan[] = [];
  let freeBytes = room.freeBytes;
  for (const { candidate, rare } of endangered) {
    if (plans.length >= room.mostFiles) break;
    const { manifestId, chunkBytes, sizeBytes, copies } = candidate;
    const wanted = rare
      .map((chunk) => ({ ...chunk, draw: random() }))
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

function rareChunks({ copies, own }: ReplicaCandidate): Array<{ chunk: number; count: number }> {
  return copies
    .map((count, chunk) => ({ chunk, count }))
    .filter(({ chunk, count }) => count < WANTED_COPIES && !(own && hasChunk(own, chunk)));
}
