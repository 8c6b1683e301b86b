import type { World } from './world.js';

export interface Invariant {
  readonly title: string;
  /** A query whose rows are what must not be. */
  readonly violations: string;
  /** What follows a decision or a report in a statement of its own, and is not made up for after a crash between the two. */
  readonly unlessCutOff?: true;
}

const EXAMPLES = 3;

/** What contradicts the invariants, one by one. */
export async function violationsOf(world: World, invariants: readonly Invariant[]): Promise<string[]> {
  const found: string[] = [];
  for (const { title, violations, unlessCutOff } of invariants) {
    if (unlessCutOff && world.wasCutOff) continue;
    const rows = await world.query(violations);
    if (rows.length > 0)
      found.push(`not so: ${title}. ${rows.length} cases, ${JSON.stringify(rows.slice(0, EXAMPLES))}`);
  }
  return found;
}

/** SQL: states of a unit that wants nothing any more. */
export const FINAL = "('valid', 'failed', 'cancelled')";

/** SQL: how often credit entries `e` of a group were granted, less how often they were taken back. */
export const HELD = 'sum(CASE e.sequence % 2 WHEN 0 THEN 1 ELSE -1 END)';
