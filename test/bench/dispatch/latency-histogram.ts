/** Buckets of a tenth of a millisecond up to ten seconds; what takes longer counts as ten seconds. */
const BUCKET_MS = 0.1;
const BUCKETS = 100_000;

export class LatencyHistogram {
  private readonly counts = new Uint32Array(BUCKETS);
  private total = 0;

  record(ms: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(ms / BUCKET_MS)));
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.total += 1;
  }

  /** Upper end in milliseconds of the bucket that holds this share of the measurements; 0 without any. */
  percentileMs(share: number): number {
    const rank = Math.ceil(share * this.total);
    let seen = 0;
    for (const [bucket, count] of this.counts.entries()) {
      seen += count;
      if (rank > 0 && seen >= rank) return Math.round((bucket + 1) * BUCKET_MS * 10) / 10;
    }
    return 0;
  }

  get count(): number {
    return this.total;
  }
}
