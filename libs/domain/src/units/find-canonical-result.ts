import { independentParties } from './independence.js';
import type { IndependenceRules, Party, TaskResult } from './unit-view.js';

/** A task whose result may take part in the vote. */
export interface Candidate extends Party {
  readonly ordinal: number;
  readonly result: TaskResult;
}

export interface QuorumRules extends IndependenceRules {
  /** Mutually independent equal results that make a unit valid. */
  readonly quorum: number;
}

export interface Agreement<T extends Candidate> {
  /** The agreed result: the lowest ordinal whose outputs are held, else the lowest ordinal. */
  readonly canonical: T;
  /** Every result that equals it, the canonical one included, in order of ordinal. */
  readonly agreeing: readonly T[];
  /** Credit of each agreeing task: traps agree on their kind only, so the smallest of their counts. */
  readonly cycles: bigint;
}

/**
 * The result that a quorum of mutually independent volunteers agree on, or null.
 *
 * @param results counting results of one unit, in order of ordinal; outcome `infrastructure` is no result and is ignored.
 *   Of several groups that reach the quorum the largest wins, then the one with the lowest ordinal.
 */
export function findCanonicalResult<T extends Candidate>(
  results: readonly T[],
  rules: QuorumRules,
): Agreement<T> | null {
  if (results.length < rules.quorum) return null;
  let best: readonly T[] | null = null;
  for (const group of equalResults(results)) {
    if (group.length < rules.quorum || group.length <= (best?.length ?? 0)) continue;
    if (independentParties(group, rules, rules.quorum).length >= rules.quorum) best = group;
  }
  if (!best) return null;
  const [first] = best;
  if (!first) return null;
  return {
    canonical: best.find((candidate) => candidate.result.outputsHeld) ?? first,
    agreeing: best,
    cycles: creditedCycles(best),
  };
}

/** Whether two results may be compared and say the same. */
export function areEqualResults(a: TaskResult, b: TaskResult): boolean {
  return a.digest === b.digest && a.runtimeVersion === b.runtimeVersion && a.outcome !== 'infrastructure';
}

/** Groups of equal results, each in the given order, groups by their first member. */
export function equalResults<T extends Candidate>(results: readonly T[]): readonly T[][] {
  const groups: T[][] = [];
  for (const candidate of results) {
    if (candidate.result.outcome === 'infrastructure') continue;
    const group = groups.find(([first]) => first && areEqualResults(first.result, candidate.result));
    if (group) group.push(candidate);
    else groups.push([candidate]);
  }
  return groups;
}

/** The smallest reported count: equal in all digests but a trap's, whose count may include instructions charged ahead. */
export function creditedCycles(agreeing: readonly Candidate[]): bigint {
  let least: bigint | null = null;
  for (const { result } of agreeing) if (least === null || result.cycles < least) least = result.cycles;
  return least ?? 0n;
}
