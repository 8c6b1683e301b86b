import type { UnitClass } from './unit-class.js';

/** Tasks that a class may have before the others when there are units of it again: those of two queue jobs. */
export const CLASS_LAG_MAX = 512;

/** Tasks that a class may be ahead of another and still count as abreast of it: a new host's allowance of a day, and a few more. */
export const CLASS_ABREAST_MAX = 64;

/** Tasks of each class that hosts were given, divided by the shares of the jobs in it. */
export type ClassTurns = ReadonlyMap<UnitClass, number>;

/**
 * The classes in the order in which a host that can serve all of them should: what had fewest tasks for its jobs' shares
 * first, or jobs of small units would wait for the last demanding one. What only few hosts can serve falls behind, and these
 * hosts serve it first.
 *
 * @param classes most demanding first, which is their order where turns are equal
 * @param shareOf shares of all running jobs of a class together, above 0
 */
export function classesInTurn(
  classes: readonly UnitClass[],
  turns: ClassTurns,
  shareOf: (unitClass: UnitClass) => number,
): UnitClass[] {
  const level = levelOf(turns);
  const turn = (unitClass: UnitClass): number => turnOf(unitClass, turns, level, shareOf(unitClass));
  return classes.toSorted((a, b) => turn(a) - turn(b));
}

/**
 * Those of the classes that are about as far as the first one: among them a host may do first what is done best first, without
 * one of them falling behind.
 *
 * @param inTurn as {@link classesInTurn} has ordered them
 * @returns the first ones of them
 */
export function classesAbreast(
  inTurn: readonly UnitClass[],
  turns: ClassTurns,
  shareOf: (unitClass: UnitClass) => number,
): UnitClass[] {
  const level = levelOf(turns);
  const turn = (unitClass: UnitClass): number => turnOf(unitClass, turns, level, shareOf(unitClass));
  const [first] = inTurn;
  const end = inTurn.findIndex(
    (unitClass) =>
      first !== undefined && (turn(unitClass) - turn(first)) * shareOf(unitClass) > CLASS_ABREAST_MAX,
  );
  return end < 0 ? [...inTurn] : inTurn.slice(0, end);
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
  const before = turnOf(unitClass, turns, levelOf(turns), share);
  return new Map(turns).set(unitClass, before + tasks / share);
}

/** What nobody wanted for a while has no claim to all of the time that follows. */
function turnOf(unitClass: UnitClass, turns: ClassTurns, level: number, share: number): number {
  return Math.max(turns.get(unitClass) ?? 0, level - CLASS_LAG_MAX / share);
}

function levelOf(turns: ClassTurns): number {
  return Math.max(0, ...turns.values());
}
