/** No core retires more: 6 GHz at 8 instructions a cycle, for hosts that were not calibrated. */
export const UNCALIBRATED_CYCLES_PER_CORE_SECOND = 48e9;
/** A calibration is a measurement on a machine that may have been busy. */
const CALIBRATION_TOLERANCE = 4;

/**
 * Why a host is held for review, or null: it counted more instructions than its calibration allows in the time between
 * assignment and report.
 *
 * @param observed cycles of tasks that ran at the same time on all cores, and that time in milliseconds
 * @param calibratedCyclesPerCoreSecond what its calibration measured; null where there is none
 */
export function holdReason(
  observed: { readonly cycles: bigint; readonly elapsedMs: number; readonly cores: number },
  calibratedCyclesPerCoreSecond: number | null,
): string | null {
  const perCoreSecond =
    calibratedCyclesPerCoreSecond === null
      ? UNCALIBRATED_CYCLES_PER_CORE_SECOND
      : calibratedCyclesPerCoreSecond * CALIBRATION_TOLERANCE;
  // A clock tick of the database, so that the smallest units do not divide by nothing.
  const seconds = Math.max(observed.elapsedMs, 10) / 1000;
  const allowed = perCoreSecond * observed.cores * seconds;
  if (Number(observed.cycles) <= allowed) return null;
  const rate = Number(observed.cycles) / seconds / observed.cores;
  return `reported ${rate.toExponential(2)} cycles/s per core, more than the ${perCoreSecond.toExponential(2)} that it can do`;
}
