export interface BackoffRule {
  /** Longest wait before the first retry, in milliseconds. */
  readonly baseMs: number;
  /** Longest wait before any retry, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Milliseconds to wait before retry `attempt` (0 for the first): doubling up to `maxMs`, of which a random half is
 * taken off, so that the hosts of a coordinator that returns do not all call in the same second.
 *
 * @param random uniform in [0, 1)
 */
export function backoffDelayMs(rule: BackoffRule, attempt: number, random: number): number {
  // 2^30 × 1 ms is beyond any sensible maximum, and keeps the power finite.
  const ceilingMs = Math.min(rule.maxMs, rule.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceilingMs * (0.5 + random / 2));
}
