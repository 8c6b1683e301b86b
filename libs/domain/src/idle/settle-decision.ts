import type { IdleDecision } from './idle-decision.js';

/** A decision and how it came about over time. */
export interface SettledDecision {
  readonly decision: IdleDecision;
  /** Since when nothing has forbidden to compute, in milliseconds since the epoch; null while something does. */
  readonly clearSinceMs: number | null;
}

/** Signals that computing itself changes, or that come and go within seconds. */
const RESTLESS: ReadonlySet<IdleDecision['code']> = new Set(['cpu-by-others', 'memory', 'temperature']);
/** How long such a signal must have been gone before computing goes on. */
const CALM_MS = 10_000;

/**
 * Pauses at once and goes on with patience: after a restless signal only when it has stayed away for ten seconds, so
 * that a program that works in bursts is not met by an agent that stops and starts with it.
 */
export function settleDecision(
  before: SettledDecision | null,
  decision: IdleDecision,
  nowMs: number,
): SettledDecision {
  if (!decision.run) return { decision, clearSinceMs: null };
  if (before === null) return { decision, clearSinceMs: nowMs };
  const clearSinceMs = before.clearSinceMs ?? nowMs;
  // A clock that was set back must not hold the agent for longer than the patience itself.
  const isCalm = nowMs - clearSinceMs >= CALM_MS || nowMs < clearSinceMs;
  const isHeld = !before.decision.run && RESTLESS.has(before.decision.code) && !isCalm;
  return { decision: isHeld ? before.decision : decision, clearSinceMs };
}
