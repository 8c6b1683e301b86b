export interface BackoffRules {
  /** Delay after the first failure, before jitter, in milliseconds. */
  readonly baseMs: number;
  /** Bound of every delay, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Milliseconds to wait before trying again: doubled by each failure, and spread over its upper half so that clients that
 * failed together do not return together.
 *
 * @param failures in a row so far, at least 1
 * @param random uniform in [0, 1)
 * @param atLeastMs what the server asked for (`Retry-After`); respected even beyond `maxMs`, and spread upwards
 */
export function backoffDelayMs(failures: number, rules: BackoffRules, random: number, atLeastMs = 0): number {
  const doubled = rules.baseMs * 2 ** Math.min(52, Math.max(0, failures - 1));
  const bounded = Math.min(rules.maxMs, doubled);
  const delayMs = bounded / 2 + (bounded / 2) * random;
  return Math.round(delayMs >= atLeastMs ? delayMs : atLeastMs + (bounded / 2) * random);
}
