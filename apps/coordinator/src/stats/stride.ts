export interface StrideBounds {
  readonly leastMs: number;
  readonly mostMs: number;
  /** Where there were more than this, the next portion is smaller; where there were less than a quarter of it, larger. */
  readonly mostRows: number;
}

/** How much time of the ledger to take at once, learned from how many entries that had: portions of about equal cost. */
export class Stride {
  constructor(
    private currentMs: number,
    private readonly bounds: StrideBounds,
  ) {}

  get ms(): number {
    return this.currentMs;
  }

  learn(rows: number): void {
    const { leastMs, mostMs, mostRows } = this.bounds;
    const factor = rows < mostRows / 4 ? 2 : rows > mostRows ? 0.5 : 1;
    this.currentMs = Math.min(mostMs, Math.max(leastMs, this.currentMs * factor));
  }
}
