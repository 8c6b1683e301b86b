import { transitionUnit, type UnitTransition } from './transition-unit.js';
import type { UnitEvent } from './unit-event.js';
import type { TaskResult, TaskView, UnitRules, UnitView } from './unit-view.js';

export const NOW = Date.UTC(2026, 10, 21);

/** Builders for tests: each names only what matters to it. */
export const RULES: UnitRules = {
  quorum: 2,
  maxErrors: 6,
  maxTasks: 10,
  distinct: 'account',
  allowSameNetwork: false,
  mayEarnAlone: false,
};

export function aResult(about: Partial<TaskResult> = {}): TaskResult {
  return { outcome: 'ok', digest: 'a', runtimeVersion: '1', cycles: 100n, outputsHeld: true, ...about };
}

/** Task `ordinal` of an account, person, host and network of its own, unless told otherwise. */
export function aTask(ordinal: number, about: Partial<TaskView> = {}): TaskView {
  return {
    ordinal,
    accountId: 100 + ordinal,
    personId: about.accountId ?? 100 + ordinal,
    hostId: 1000 + ordinal,
    anonymous: false,
    network: `10.0.${ordinal}.0/24`,
    state: 'in-progress',
    counts: true,
    creditEligible: true,
    result: null,
    heldCredit: null,
    ...about,
  };
}

/** A task that reported `result` and waits for the quorum. */
export function aReportedTask(
  ordinal: number,
  result: Partial<TaskResult> = {},
  about: Partial<TaskView> = {},
) {
  return { ...aTask(ordinal, { state: 'reported', ...about }), result: aResult(result) };
}

export function aUnit(tasks: readonly TaskView[] = [], about: Partial<UnitView> = {}): UnitView {
  return {
    state: 'open',
    wanted: Math.max(RULES.quorum, tasks.length),
    canonicalOrdinal: null,
    settledAtMs: null,
    jobPaused: false,
    jobEnded: false,
    submitterPersonId: 'submitter',
    tasks,
    ...about,
  };
}

/** What an event makes of a unit, by the usual rules and now unless told otherwise. */
export function step(unit: UnitView, event: UnitEvent, rules: UnitRules = RULES, now = NOW): UnitTransition {
  return transitionUnit(unit, event, rules, now);
}
