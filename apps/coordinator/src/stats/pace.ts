/** Where thousands earn at once, counting is costly: a process spends no more than this share of its time on it. */
const MAX_SHARE = 1 / 40;
/** What takes no longer than this may run as often as it likes. */
const FREE_MS = 100;

/** Leaves out runs of something recurring that comes to take long. */
export class Pace {
  private notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly longestPauseMs: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  async run(work: () => Promise<void>): Promise<void> {
    const startMs = this.nowMs();
    if (startMs < this.notBeforeMs) return;
    await work();
    const endMs = this.nowMs();
    this.notBeforeMs =
      startMs + Math.min(this.longestPauseMs, Math.max(0, endMs - startMs - FREE_MS) / MAX_SHARE);
  }
}
