/** A file as the eviction policy sees it. */
export interface EvictionCandidate {
  readonly manifestId: string;
  /** Bytes that no open task needs. */
  readonly evictableBytes: number;
  /** Grows with every use; the smallest was used longest ago. */
  readonly lastUse: number;
}

/** Chooses the files that lose what no open task needs, in order. */
export type EvictionPolicy = (
  candidates: readonly EvictionCandidate[],
  neededBytes: number,
) => readonly string[];

/** The files that were used longest ago, until there is room enough. */
export const leastRecentlyUsed: EvictionPolicy = (candidates, neededBytes) => {
  const chosen: string[] = [];
  let freed = 0;
  for (const candidate of candidates.toSorted((a, b) => a.lastUse - b.lastUse)) {
    if (freed >= neededBytes) break;
    chosen.push(candidate.manifestId);
    freed += candidate.evictableBytes;
  }
  return chosen;
};
