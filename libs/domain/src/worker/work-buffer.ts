export interface WorkInHand {
  /** Tasks that this host may compute at the same time. */
  readonly cores: number;
  readonly running: number;
  /** Tasks on the host that have not started. */
  readonly buffered: number;
  /** Mean time that this host's recent tasks took in milliseconds, pauses not counted; null before the first has ended. */
  readonly meanTaskMs: number | null;
}

export interface BufferRule {
  /** Work to hold beyond what runs, in milliseconds of all cores. */
  readonly bufferMs: number;
  /** Tasks that the host ever holds, running ones included. */
  readonly maxInHand: number;
  /** Tasks that one request may ask for. */
  readonly maxPerCall: number;
}

/**
 * How many tasks to ask for. Until a first task has ended nothing is known about their length, so only the idle cores
 * are filled; afterwards enough is held to keep all cores busy for `bufferMs`.
 */
export function tasksToRequest(inHand: WorkInHand, rule: BufferRule): number {
  const ahead =
    inHand.meanTaskMs === null
      ? 0
      : Math.ceil((inHand.cores * rule.bufferMs) / Math.max(1, inHand.meanTaskMs));
  const target = Math.min(inHand.cores + ahead, Math.max(rule.maxInHand, inHand.cores));
  return Math.max(0, Math.min(target - inHand.running - inHand.buffered, rule.maxPerCall));
}

/** Exponential moving average of task durations: a new app's pace is learnt within a few tasks. */
export function updatedMeanTaskMs(meanTaskMs: number | null, taskMs: number): number {
  return meanTaskMs === null ? taskMs : meanTaskMs + (taskMs - meanTaskMs) / 5;
}
