/** No core retires more: 6 GHz at 8 instructions a cycle, for hosts that were not calibrated. */
export const UNCALIBRATED_CYCLES_PER_CORE_SECOND = 48e9;
/** A calibration is a measurement on a machine that may have been busy. */
const CALIBRATION_TOLERANCE = 4;

/**
 * Why a host is held for review, or null: it counted more instructions than its calibration allows in the time between
 * assignment and report. A task runs on one core, however many its host has.
 *
 * @param observed a task's cycles, and the milliseconds that it can have run for
 * @param calibratedCyclesPerCoreSecond what its calibration measured; null where there is none
 */
export function holdReason(
  observed: { readonly cycles: bigint; readonly elapsedMs: number },
  calibratedCyclesPerCoreSecond: number | null,
): string | null {
  const perCoreSecond =
    calibratedCyclesPerCoreSecond === null
      ? UNCALIBRATED_CYCLES_PER_CORE_SECOND
      : calibratedCyclesPerCoreSecond * CALIBRATION_TOLERANCE;
  // A clock tick of the database, so that the smallest units do not divide by nothing.
  const seconds = Math.max(observed.elapsedMs, 10) / 1000;
  const allowed = perCoreSecond * seconds;
  if (Number(observed.cycles) <= allowed) return null;
  const rate = Number(observed.cycles) / seconds;
  return `reported ${rate.toExponential(2)} cycles/s per core, more than the ${perCoreSecond.toExponential(2)} that it can do`;
}
