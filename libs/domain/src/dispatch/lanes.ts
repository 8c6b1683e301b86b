import type { Id } from '../units/index.js';

/** The lane whose queue holds a ticket. Tasks of one unit lie in different lanes, so accounts of one lane rarely meet. */
export function laneOfTicket(unitId: number, ordinal: number, lanes: number): number {
  return (unitId + ordinal) % lanes;
}

/**
 * The lane that an account is served from first; evenly spread for consecutive ids.
 *
 * @param accountId decimal id, below 2^53
 */
export function laneOfAccount(accountId: Id, lanes: number): number {
  const id = Number(accountId);
  if (!Number.isSafeInteger(id)) throw new RangeError(`not an account id: ${accountId}`);
  return mix((id % 2 ** 32) ^ Math.floor(id / 2 ** 32)) % lanes;
}

/** Lanes in the order in which an account is served: its own, then the others. */
export function lanesInOrder(accountId: Id, lanes: number): readonly number[] {
  const own = laneOfAccount(accountId, lanes);
  return Array.from({ length: lanes }, (_, step) => (own + step) % lanes);
}

/** MurmurHash3's 32-bit finaliser. */
function mix(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
