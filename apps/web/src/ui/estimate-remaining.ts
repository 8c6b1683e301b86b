export interface Remaining {
  /** Seconds that the rest takes at the pace of late, and at the ends of a 90 % interval of that pace. */
  readonly atLeast: number;
  readonly likely: number;
  /** null where so little was settled that there is no telling. */
  readonly atMost: number | null;
}

/** Standard deviations on each side that hold 90 % of a normal distribution. */
const Z = 1.645;

/**
 * How long the open units take, if units go on being settled as they were: arrivals counted over a window are a Poisson
 * sample, so their number n is known to about ±√n.
 *
 * @returns null where nothing was settled lately
 */
export function estimateRemaining(
  openUnits: number,
  settledLately: number,
  windowSeconds: number,
): Remaining | null {
  if (settledLately === 0) return null;
  const spread = Z * Math.sqrt(settledLately);
  const secondsAt = (settled: number): number => (openUnits * windowSeconds) / settled;
  return {
    atLeast: secondsAt(settledLately + spread),
    likely: secondsAt(settledLately),
    atMost: settledLately > spread ? secondsAt(settledLately - spread) : null,
  };
}

/** Seconds as `3 h 20 min`: two units at most, never a false precision. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}
