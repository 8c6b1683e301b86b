/** A host's daily allowance, as BOINC's daily result quota: trust is earned by validated results and by nothing else. */
export interface AllowanceRules {
  /** Tasks a day that a new host may take, for each core. */
  readonly initialPerCore: number;
  /** Tasks a day for each core beyond which it does not grow. */
  readonly maxPerCore: number;
}

export const DEFAULT_ALLOWANCE_RULES: AllowanceRules = { initialPerCore: 16, maxPerCore: 1 << 20 };

/** Upper end of the column that keeps it. */
const MAX_ALLOWANCE_PER_DAY = 2 ** 31 - 1;
const DAY_MS = 24 * 3600 * 1000;

/** Tasks a day of a host of which nothing was judged yet. */
export function initialAllowancePerDay(cores: number, rules: AllowanceRules): number {
  return Math.min(MAX_ALLOWANCE_PER_DAY, cores * rules.initialPerCore);
}

/** Tasks a day beyond which the host's allowance does not grow. */
export function maxAllowancePerDay(cores: number, rules: AllowanceRules): number {
  return Math.min(MAX_ALLOWANCE_PER_DAY, cores * rules.maxPerCore);
}

/**
 * Tasks a day after a batch of the host's results was judged: doubled by each valid one up to the maximum, then halved by
 * each invalid one down to 1. Errors, lost and unjudged tasks neither raise nor lower it; they just use it up.
 */
export function allowanceAfter(
  perDay: number,
  judged: { readonly valid: number; readonly invalid: number },
  cores: number,
  rules: AllowanceRules,
): number {
  const max = maxAllowancePerDay(cores, rules);
  // 2^31 is the largest factor that matters, and shifts of doubles beyond it overflow.
  const raised = Math.min(max, Math.max(1, perDay) * 2 ** Math.min(31, judged.valid));
  return Math.max(1, Math.floor(raised / 2 ** Math.min(31, judged.invalid)));
}

export interface AllowanceUse {
  readonly perDay: number;
  /** UTC day (`YYYY-MM-DD`) that `used` belongs to. */
  readonly day: string;
  /** Tasks assigned on that day. */
  readonly used: number;
}

/** Tasks that the host may still take today, and when that starts anew. Days are UTC. */
export function allowanceLeft(use: AllowanceUse, nowMs: number): { left: number; resetsAt: Date } {
  const used = use.day === utcDay(nowMs) ? use.used : 0;
  return {
    left: Math.max(0, use.perDay - used),
    resetsAt: new Date((Math.floor(nowMs / DAY_MS) + 1) * DAY_MS),
  };
}

/** `YYYY-MM-DD` of an instant in UTC. */
export function utcDay(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}
