/** Of the quota, promised files are kept in at most this share: the disk was given for work. */
export const PROMISED_SHARE = 0.25;

/** A file as the eviction policy sees it. */
export interface EvictionCandidate {
  readonly manifestId: string;
  /** Bytes that no open task needs. */
  readonly evictableBytes: number;
  /** Grows with every use; the smallest was used longest ago. */
  readonly lastUse: number;
  /** Others count on it. */
  readonly isPromised: boolean;
}

/** Chooses the files that lose what no open task needs, in order. */
export type EvictionPolicy = (
  candidates: readonly EvictionCandidate[],
  neededBytes: number,
) => readonly string[];

/** The files that were used longest ago, until there is room enough; promised ones when nothing else is left. */
export const leastRecentlyUsed: EvictionPolicy = (candidates, neededBytes) => {
  const chosen: string[] = [];
  let freed = 0;
  const order = candidates.toSorted(
    (a, b) => Number(a.isPromised) - Number(b.isPromised) || a.lastUse - b.lastUse,
  );
  for (const candidate of order) {
    if (freed >= neededBytes) break;
    chosen.push(candidate.manifestId);
    freed += candidate.evictableBytes;
  }
  return chosen;
};

/** Promises that are kept: the most recently used files, as long as they fit into so many bytes. */
export function withinPromise(
  candidates: readonly EvictionCandidate[],
  promisedBytes: number,
): readonly EvictionCandidate[] {
  let left = promisedBytes;
  const kept = new Set<string>();
  for (const candidate of candidates.toSorted((a, b) => b.lastUse - a.lastUse)) {
    if (!candidate.isPromised || candidate.evictableBytes > left) continue;
    left -= candidate.evictableBytes;
    kept.add(candidate.manifestId);
  }
  return candidates.map((candidate) => ({ ...candidate, isPromised: kept.has(candidate.manifestId) }));
}
