/** Bit `i % 8` (from the least significant) of byte `i / 8` is chunk i: what peers say they have. */
export type ChunkBitmap = Uint8Array;

/** Whether the bytes are a bitmap of exactly `chunks` chunks: nothing missing, nothing beyond. */
export function isBitmapOf(bytes: ChunkBitmap, chunks: number): boolean {
  if (bytes.length !== Math.ceil(chunks / 8)) return false;
  return chunks % 8 === 0 || (bytes.at(-1) ?? 0) >> (chunks % 8) === 0;
}

/** What the bitmap says of the chunk; false beyond its end. */
export function hasChunk(bitmap: ChunkBitmap, chunk: number): boolean {
  return ((bitmap[chunk >> 3] ?? 0) & (1 << (chunk & 7))) !== 0;
}

/** The chunks of a bitmap, ascending. */
export function chunksOf(bitmap: ChunkBitmap, chunks: number): number[] {
  const found: number[] = [];
  for (let chunk = 0; chunk < chunks; chunk += 1) if (hasChunk(bitmap, chunk)) found.push(chunk);
  return found;
}

/** The bitmap of a file of `chunks` chunks that has those at `indices`, in any order. */
export function bitmapOf(chunks: number, indices: Iterable<number>): ChunkBitmap {
  const bitmap = new Uint8Array(Math.ceil(chunks / 8));
  for (const chunk of indices) bitmap[chunk >> 3] = (bitmap[chunk >> 3] ?? 0) | (1 << (chunk & 7));
  return bitmap;
}

/** A peer's word on what it has, and whose word it is. */
export interface HolderClaim {
  readonly hostId: string;
  /** A bitmap that does not fit the file is no claim. */
  readonly have: ChunkBitmap;
}

/**
 * Hosts that say they have each chunk. A host counts once, however many peers it runs; so one that lies about what it has
 * adds at most one copy to each chunk.
 */
export function countCopies(claims: readonly HolderClaim[], chunks: number): number[] {
  const byHost = new Map<string, Uint8Array>();
  for (const { hostId, have } of claims) {
    if (!isBitmapOf(have, chunks)) continue;
    const known = byHost.get(hostId);
    if (!known) byHost.set(hostId, Uint8Array.from(have));
    else for (const [at, byte] of have.entries()) known[at] = (known[at] ?? 0) | byte;
  }
  const copies = new Array<number>(chunks).fill(0);
  for (const bitmap of byHost.values()) {
    for (let chunk = 0; chunk < chunks; chunk += 1)
      if (hasChunk(bitmap, chunk)) copies[chunk] = (copies[chunk] ?? 0) + 1;
  }
  return copies;
}

/** A summary tells of no more runs of chunks than this. */
export const COPY_RUNS_MAX = 256;

export interface CopySummary {
  readonly chunks: number;
  /** Chunks that each entry of `copies` stands for, the last one perhaps for fewer. */
  readonly chunksPerRun: number;
  /** Copies of the rarest chunk of each run, in the file's order. */
  readonly copies: number[];
  readonly minCopies: number;
  /** To two decimals. */
  readonly averageCopies: number;
}

/** @param copies of each chunk, in the file's order, as {@link countCopies} counts them */
export function summarizeCopies(copies: readonly number[]): CopySummary {
  const chunks = copies.length;
  const chunksPerRun = Math.max(1, Math.ceil(chunks / COPY_RUNS_MAX));
  if (chunks === 0) return { chunks, chunksPerRun, copies: [], minCopies: 0, averageCopies: 0 };
  const total = copies.reduce((sum, count) => sum + count, 0);
  const rarest = Array.from({ length: Math.ceil(chunks / chunksPerRun) }, (_, run) =>
    Math.min(...copies.slice(run * chunksPerRun, (run + 1) * chunksPerRun)),
  );
  return {
    chunks,
    chunksPerRun,
    copies: rarest,
    minCopies: Math.min(...rarest),
    averageCopies: Math.round((100 * total) / chunks) / 100,
  };
}
