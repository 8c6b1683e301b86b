/** Units that are watched from the start of a job: an app that does not work is noticed before it costs much. */
export const WATCHED_UNITS = 50;
const TOLERATED_FAILED_SHARE = 0.2;

export interface JobTally {
  readonly valid: number;
  readonly failed: number;
}

/**
 * Why a job pauses after a batch of its units settled, or null. It pauses when more than 20 % of its first 50 units (of
 * all, in a smaller job) failed; once resumed by its scientist it is left alone. How units are batched makes no difference.
 *
 * @param before settled units before the batch
 * @param settled the batch's units, in the order in which they settled
 * @param totalUnits of the job; null while it splits
 */
export function pauseReason(
  before: JobTally,
  settled: readonly (keyof JobTally)[],
  totalUnits: number | null,
): string | null {
  const watched = Math.min(WATCHED_UNITS, totalUnits ?? WATCHED_UNITS);
  const tolerated = Math.floor(watched * TOLERATED_FAILED_SHARE);
  // Only the crossing pauses, so that a resumed job does not stop again at its next failure.
  if (before.failed > tolerated) return null;
  let { failed } = before;
  let count = before.valid + before.failed;
  for (const outcome of settled) {
    if (count >= watched) return null;
    count += 1;
    if (outcome === 'failed') failed += 1;
    if (failed > tolerated) {
      return `${failed} of the first ${count} units failed (more than 20 % of ${watched})`;
    }
  }
  return null;
}
