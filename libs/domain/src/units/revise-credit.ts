import type { Id, TaskView } from './unit-view.js';

/** What the ledger has to take in for one unit. */
export interface CreditRevision {
  /** Tasks that earn credit now, in cycles; also one whose credit was taken back before. */
  readonly credits: ReadonlyArray<{ readonly ordinal: number; readonly cycles: bigint }>;
  /** Tasks that hold credit and must not any longer. */
  readonly revoked: readonly number[];
}

/**
 * The difference between the credit that a unit's tasks hold and what they deserve: each person holds credit for a unit at
 * most once, by a valid task. Where several of a person's tasks hold it (their accounts were linked afterwards) the first
 * keeps it. Whoever loses it may earn it again, by this or another task. Deciding anew after saving changes nothing.
 *
 * @param tasks as they are judged now, in order of ordinal
 * @param earnedCycles what each valid task earns; null where nothing is granted, because nothing is agreed or it is too late
 */
export function reviseCredit(tasks: readonly TaskView[], earnedCycles: bigint | null): CreditRevision {
  const credits: Array<{ ordinal: number; cycles: bigint }> = [];
  const revoked: number[] = [];
  const holders = new Set<Id>();
  for (const { ordinal, heldCredit, state, personId } of tasks) {
    if (heldCredit === null) continue;
    if (state === 'valid' && !holders.has(personId)) holders.add(personId);
    else revoked.push(ordinal);
  }
  if (earnedCycles === null) return { credits, revoked };
  for (const { ordinal, state, creditEligible, personId } of tasks) {
    if (state !== 'valid' || !creditEligible || holders.has(personId)) continue;
    holders.add(personId);
    credits.push({ ordinal, cycles: earnedCycles });
  }
  return { credits, revoked };
}
