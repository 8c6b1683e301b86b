/** Recent average credit halves in a week without new credit, as in BOINC. */
export const HALF_LIFE_SECONDS = 7 * 24 * 3600;
/** 2026-01-01: weights stay within a double for 19 years from here. */
export const RECENT_EPOCH_SECONDS = 1_767_225_600;
const DAY_SECONDS = 24 * 3600;

/**
 * Recent average credit in cycles a day.
 *
 * A board keeps the sum of cycles × 2^((t − epoch) / half-life), which only changes when credit is earned. Dividing by
 * today's weight makes it decay; ln 2 / half-life turns the decayed sum into a rate: whoever earns steadily has that rate.
 *
 * @param recent the weighted sum
 */
export function recentAverageCredit(recent: number, nowMs: number): bigint {
  const weight = 2 ** ((nowMs / 1000 - RECENT_EPOCH_SECONDS) / HALF_LIFE_SECONDS);
  return BigInt(Math.round(((recent / weight) * Math.LN2 * DAY_SECONDS) / HALF_LIFE_SECONDS));
}
