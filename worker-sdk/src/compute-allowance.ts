/** What of the machine the worker may use at the moment; from the embedding program, at any time and as often as it likes. */
export interface ComputeAllowance {
  /** Tasks that may compute at the same time; 0 pauses all of them where they are. */
  readonly cores: number;
  /** Share (0 to 1] of the time that each of them computes. */
  readonly dutyCycle: number;
  /** Memory of all computing tasks together, in MiB, by their limits; null: as much as the policy says. */
  readonly memoryMiB: number | null;
  /**
   * Cores to hold work for; by default those that may compute. More than that: it holds work for its turn, and counts as
   * waiting, not as paused, while it has no core. None: it completes what it holds, and asks for nothing.
   */
  readonly holdsForCores?: number;
  /** Version of the `wishes` from afar that were overruled here: work is asked for although they say otherwise. */
  readonly overrulesWishes?: number;
  /** One sentence for the volunteer; shown as the worker's reason while it is paused. */
  readonly reason: string;
}

/** All that the policy offers, all the time. */
export const FULL_ALLOWANCE: ComputeAllowance = {
  cores: Number.MAX_SAFE_INTEGER,
  dutyCycle: 1,
  memoryMiB: null,
  reason: 'computing: nothing limits it',
};
