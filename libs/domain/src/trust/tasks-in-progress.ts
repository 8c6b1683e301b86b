/** Tasks in progress that a host may hold for each core: one that runs, the rest as its buffer of work. */
export const DEFAULT_TASKS_PER_CORE = 16;

/** Tasks that a host may be given now, of the `requested`. */
export function grantableTasks(of: {
  readonly requested: number;
  readonly inProgress: number;
  readonly cores: number;
  readonly perCore: number;
  /** Bound for a whole host, whatever its cores. */
  readonly perHost: number;
}): number {
  const cap = Math.min(of.perHost, of.cores * of.perCore);
  return Math.max(0, Math.min(of.requested, cap - of.inProgress));
}
