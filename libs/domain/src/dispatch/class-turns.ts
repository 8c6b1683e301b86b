import type { UnitClass } from './unit-class.js';

/** What a class may have more than the others when there are units of it again: two queue jobs of an ordinary job. */
export const CLASS_LAG_MAX = 512;

/** Tasks of each class that hosts were given, divided by the shares of the jobs in it. */
export type ClassTurns = ReadonlyMap<UnitClass, number>;

/**
 * The classes in the order in which a host that can serve all of them should: what had fewest tasks for its jobs' shares
 * first, or jobs of small units would wait for the last demanding one. What only few hosts can serve falls behind, and these
 * hosts serve it first.
 *
 * @param classes most demanding first, which is their order where turns are equal
 */
export function classesInTurn(classes: readonly UnitClass[], turns: ClassTurns): UnitClass[] {
  const level = levelOf(turns);
  return classes.toSorted((a, b) => turnOf(a, turns, level) - turnOf(b, turns, level));
}

/**
 * The turns after tasks of a class were given out.
 *
 * @param share of all running jobs of the class together, above 0
 */
export function afterServing(
  turns: ClassTurns,
  unitClass: UnitClass,
  tasks: number,
  share: number,
): ClassTurns {
  const before = turnOf(unitClass, turns, levelOf(turns));
  return new Map(turns).set(unitClass, before + tasks / share);
}

/** What nobody wanted for a while has no claim to all of the time that follows. */
function turnOf(unitClass: UnitClass, turns: ClassTurns, level: number): number {
  return Math.max(turns.get(unitClass) ?? 0, level - CLASS_LAG_MAX);
}

function levelOf(turns: ClassTurns): number {
  return Math.max(0, ...turns.values());
}
