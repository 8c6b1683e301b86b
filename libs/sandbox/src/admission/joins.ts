/** A segment that is entered from the ends of other segments only, each of which goes there and nowhere else. */
export interface Join {
  readonly segment: number;
  readonly sources: readonly number[];
}

/** The second sweep moves on what the first one moved to the end of a loop. */
const SWEEPS = 2;

/**
 * Moves the charge of each join into its sources, which charge anyway: every path pays the same in fewer steps. A
 * loop that tests at its head and jumps back unconditionally then charges once a round; an interpreter charges once
 * an instruction. A source that is the join itself would pay for a round that does not come.
 */
export function chargeAheadOfJoins(charge: Float64Array, joins: readonly Join[]): void {
  const lastFirst = joins.toSorted((a, b) => b.segment - a.segment);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const { segment, sources } of lastFirst) {
      const cycles = charge[segment] ?? 0;
      if (cycles === 0 || sources.length === 0 || sources.includes(segment)) continue;
      for (const source of sources) charge[source]! += cycles;
      charge[segment] = 0;
    }
  }
}
