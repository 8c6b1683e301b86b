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
 * most once, by a valid task, and the submitter of its job not at all. Where several of a person's tasks hold it (their
 * accounts were linked afterwards) the first keeps it. Whoever loses it may earn it again, by this or another task. Deciding
 * anew after saving changes nothing.
 *
 * @param tasks as they are judged now, in order of ordinal
 * @param earnedCycles what each valid task earns; null where nothing is granted, because nothing is agreed or it is too late
 * @param submitterPersonId whoever has an interest in the answer must not be paid for it, whichever account computed it
 */
export function reviseCredit(
  tasks: readonly TaskView[],
  earnedCycles: bigint | null,
  submitterPersonId: Id,
): CreditRevision {
  const credits: Array<{ ordinal: number; cycles: bigint }> = [];
  const revoked: number[] = [];
  const settled = new Set<Id>([submitterPersonId]);
  for (const { ordinal, heldCredit, state, personId } of tasks) {
    if (heldCredit === null) continue;
    if (state === 'valid' && !settled.has(personId)) settled.add(personId);
    else revoked.push(ordinal);
  }
  if (earnedCycles === null) return { credits, revoked };
  for (const { ordinal, state, creditEligible, personId } of tasks) {
    if (state !== 'valid' || !creditEligible || settled.has(personId)) continue;
    settled.add(personId);
    credits.push({ ordinal, cycles: earnedCycles });
  }
  return { credits, revoked };
}
