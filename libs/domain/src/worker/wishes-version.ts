/** 2020 began. Seconds since then go into 31 bits until 2088. */
const BEGINNING_MS = Date.UTC(2020, 0);

/**
 * Version of what an owner wishes next of a host. Hosts keep the greatest that they have heard of, also where the coordinator's
 * database has gone back to a backup since; so versions follow the clock.
 *
 * @param version of the wishes so far
 */
export function nextWishesVersion(version: number, nowMs: number): number {
  return Math.max(version + 1, Math.floor((nowMs - BEGINNING_MS) / 1000));
}
