import type { TaskChange, UnitDecision } from './unit-decision.js';
import { changeTasks } from './unit-decision.js';
import { explainBlockedUnit } from './explain-unit.js';
import type { Agreement, Candidate } from './find-canonical-result.js';
import {
  areEqualResults,
  creditedCycles,
  equalResults,
  findCanonicalResult,
} from './find-canonical-result.js';
import { independentParties } from './independence.js';
import { reviseCredit } from './revise-credit.js';
import type { TaskView, UnitRules, UnitView } from './unit-view.js';
import { LATE_CREDIT_MS, isFinalUnitState } from './unit-view.js';

type TaskWithResult = TaskView & Candidate;

/** A decision before the ledger is looked at. */
interface Verdict extends Omit<UnitDecision, 'credits' | 'revoked'> {
  /** See {@link reviseCredit}. */
  readonly earnedCycles: bigint | null;
}

const NOTHING: readonly never[] = [];

/**
 * What follows from a unit's rows as they are: settle it, ask for outputs, want more tasks, judge late results, or nothing.
 * Deciding twice without saving gives the same decision; deciding again after saving gives one with nothing to change.
 *
 * @param nowMs milliseconds since the epoch
 */
export function decideUnit(unit: UnitView, rules: UnitRules, nowMs: number): UnitDecision {
  const { earnedCycles, ...verdict } = judgeUnit(unit, rules, nowMs);
  const tasks = changeTasks(unit.tasks, verdict.tasks);
  // A count that nobody has to agree on is whatever its host says.
  const confirmedCycles = rules.quorum > 1 || rules.mayEarnAlone ? earnedCycles : null;
  const { credits, revoked } = reviseCredit(tasks, confirmedCycles, unit.submitterPersonId);
  const isChanged = verdict.isChanged || credits.length > 0 || revoked.length > 0;
  return { ...verdict, credits, revoked, isChanged };
}

function judgeUnit(unit: UnitView, rules: UnitRules, nowMs: number): Verdict {
  if (unit.state === 'cancelled') return settleWithoutResult(unit, 'cancelled', null);
  if (isFinalUnitState(unit.state)) return judgeLateResults(unit, nowMs);
  const results = votes(unit.tasks);
  const agreement = findCanonicalResult(results, rules);
  if (agreement) return settleByAgreement(unit, agreement, rules);
  return seekAgreement(unit, results, rules);
}

function settleByAgreement(unit: UnitView, agreement: Agreement<TaskWithResult>, rules: UnitRules): Verdict {
  const { canonical, agreeing } = agreement;
  const judged = judgeTasks(unit.tasks, canonical, agreement.cycles);
  if (canonical.result.outcome !== 'ok') {
    return {
      ...judged,
      ...unchanged(unit),
      state: 'failed',
      canonicalOrdinal: canonical.ordinal,
      failure: `${agreeing.length === 1 ? '1 volunteer says' : `${agreeing.length} volunteers agree`} that it ends with "${canonical.result.outcome}"`,
      isChanged: true,
    };
  }
  if (canonical.result.outputsHeld) {
    return {
      ...judged,
      ...unchanged(unit),
      state: 'valid',
      canonicalOrdinal: canonical.ordinal,
      isChanged: true,
    };
  }
  return seekOutputs(unit, agreeing, rules, judged);
}

/** The digest is agreed but the outputs were too large to travel with it: one agreeing host after the other is asked. */
function seekOutputs(
  unit: UnitView,
  agreeing: readonly TaskWithResult[],
  rules: UnitRules,
  judged: Judged,
): Verdict {
  const kept = { ...judged, dropOutputsOf: NOTHING };
  const asked = unit.canonicalOrdinal;
  if (unit.state === 'awaiting-output' && agreeing.some((task) => task.ordinal === asked)) {
    return { ...kept, ...unchanged(unit), isChanged: judged.tasks.length > 0 };
  }
  const next = agreeing.find((task) => task.ordinal > (asked ?? -1));
  if (next) {
    return {
      ...kept,
      ...unchanged(unit),
      state: 'awaiting-output',
      canonicalOrdinal: next.ordinal,
      askUploadOf: next.ordinal,
      isChanged: true,
    };
  }
  const isAnybodyComing =
    unit.tasks.some((task) => task.state === 'in-progress') || unit.wanted > unit.tasks.length;
  if (!isAnybodyComing && unit.wanted >= rules.maxTasks) {
    return settleWithoutResult(
      unit,
      'failed',
      `none of ${agreeing.length} agreeing hosts uploaded its outputs`,
    );
  }
  const wanted = isAnybodyComing ? unit.wanted : unit.wanted + 1;
  // Tasks still running are worth keeping now: one of them may upload.
  const tasks = kept.tasks.filter((change) => change.state !== 'aborted');
  return {
    ...kept,
    ...unchanged(unit),
    state: 'open',
    tasks,
    wanted,
    blocked: 'needs another account: no host that computed the agreed outputs uploaded them',
    isChanged: tasks.length > 0 || wanted !== unit.wanted || unit.state !== 'open',
  };
}

function seekAgreement(unit: UnitView, results: readonly TaskWithResult[], rules: UnitRules): Verdict {
  const errors = countErrors(unit.tasks);
  if (errors >= rules.maxErrors) {
    return settleWithoutResult(unit, 'failed', `${errors} tasks failed (maxErrors is ${rules.maxErrors})`);
  }
  const reachable = reachableVotes(unit.tasks, results, rules);
  if (reachable + rules.maxTasks - unit.tasks.length < rules.quorum) {
    return settleWithoutResult(
      unit,
      'failed',
      `no ${rules.quorum} independent volunteers agreed within ${rules.maxTasks} tasks (maxTasks)`,
    );
  }
  const tickets = unit.wanted - unit.tasks.length;
  const missing = Math.max(0, rules.quorum - reachable - tickets);
  const wanted = Math.min(rules.maxTasks, unit.wanted + missing);
  return {
    ...unchanged(unit),
    tasks: NOTHING,
    earnedCycles: null,
    dropOutputsOf: NOTHING,
    wanted,
    blocked: explainBlockedUnit(unit, results, rules),
    isChanged: wanted !== unit.wanted,
  };
}

/** Votes for one answer if everybody still working agreed with the most promising group. */
function reachableVotes(
  tasks: readonly TaskView[],
  results: readonly TaskWithResult[],
  rules: UnitRules,
): number {
  const working = tasks.filter((task) => task.state === 'in-progress' && task.counts);
  let most = independentParties<TaskView>(working, rules, rules.quorum).length;
  for (const group of equalResults(results)) {
    most = Math.max(most, independentParties<TaskView>([...group, ...working], rules, rules.quorum).length);
  }
  return most;
}

/** Errors of hosts, and results that say that the app failed; agreed failures have settled the unit before. */
function countErrors(tasks: readonly TaskView[]): number {
  let errors = 0;
  for (const { state, result } of tasks) {
    if (state === 'error') errors += 1;
    else if (result && (state === 'reported' || state === 'valid' || state === 'invalid')) {
      if (result.outcome !== 'ok') errors += 1;
    }
  }
  return errors;
}

/** Results that may take part in the vote, judged ones of a unit that opened again included. */
function votes(tasks: readonly TaskView[]): readonly TaskWithResult[] {
  return tasks.filter(
    (task): task is TaskWithResult =>
      task.counts && isJudgeable(task) && task.result.outcome !== 'infrastructure',
  );
}

function isJudgeable(task: TaskView): task is TaskWithResult {
  const { state } = task;
  return task.result !== null && (state === 'reported' || state === 'valid' || state === 'invalid');
}

type Judged = Pick<Verdict, 'tasks' | 'earnedCycles' | 'dropOutputsOf'>;

/** Every task measured against the canonical result. */
function judgeTasks(
  tasks: readonly TaskView[],
  canonical: TaskWithResult,
  earnedCycles: bigint | null,
): Judged {
  const changes: TaskChange[] = [];
  const dropOutputsOf: number[] = [];
  for (const task of tasks) {
    if (task.state === 'in-progress') {
      changes.push({ ordinal: task.ordinal, state: 'aborted', counts: false });
      continue;
    }
    if (!isJudgeable(task)) continue;
    const state = verdict(task, canonical);
    if (state !== task.state) {
      changes.push({ ordinal: task.ordinal, state, counts: task.counts && state !== 'error' });
    }
    // Also what is not held: its host may be uploading it at this moment.
    if (task.ordinal !== canonical.ordinal) dropOutputsOf.push(task.ordinal);
  }
  return { tasks: changes, earnedCycles, dropOutputsOf };
}

function verdict(task: TaskWithResult, canonical: TaskWithResult): 'valid' | 'invalid' | 'aborted' | 'error' {
  if (task.result.outcome === 'infrastructure') return 'error';
  if (areEqualResults(task.result, canonical.result)) return 'valid';
  // Another runtime's result is neither right nor wrong.
  return task.result.runtimeVersion === canonical.result.runtimeVersion ? 'invalid' : 'aborted';
}

function judgeLateResults(unit: UnitView, nowMs: number): Verdict {
  const canonical = unit.tasks.find((task) => task.ordinal === unit.canonicalOrdinal);
  if (!canonical?.result) return settleWithoutResult(unit, unit.state, null);
  const isInTime = nowMs - (unit.settledAtMs ?? nowMs) <= LATE_CREDIT_MS;
  const canonicalTask: TaskWithResult = { ...canonical, result: canonical.result };
  const agreeing = unit.tasks.filter(
    (task): task is TaskWithResult => isJudgeable(task) && areEqualResults(task.result, canonicalTask.result),
  );
  // Also for those that were judged before: a host that was held meanwhile is owed what it earned.
  const earnedCycles = isInTime ? creditedCycles(agreeing) : null;
  if (!unit.tasks.some((task) => task.state === 'reported' || task.state === 'in-progress')) {
    return { ...nothingToDo(unit), earnedCycles };
  }
  const judged = judgeTasks(unit.tasks, canonicalTask, earnedCycles);
  return { ...judged, ...unchanged(unit), isChanged: judged.tasks.length > 0 };
}

/** Nobody's answer is known to be right: unfinished tasks stop, reported ones stay unjudged, and nobody earns. */
function settleWithoutResult(unit: UnitView, state: UnitView['state'], failure: string | null): Verdict {
  const tasks: TaskChange[] = [];
  const dropOutputsOf: number[] = [];
  for (const task of unit.tasks) {
    if (task.state === 'in-progress' || isJudgeable(task)) {
      tasks.push({ ordinal: task.ordinal, state: 'aborted', counts: false });
      if (task.result) dropOutputsOf.push(task.ordinal);
    }
  }
  return {
    ...unchanged(unit),
    state,
    canonicalOrdinal: null,
    failure,
    tasks,
    earnedCycles: null,
    dropOutputsOf,
    isChanged: state !== unit.state || unit.settledAtMs === null || tasks.length > 0,
  };
}

function nothingToDo(unit: UnitView): Verdict {
  return {
    ...unchanged(unit),
    tasks: NOTHING,
    earnedCycles: null,
    dropOutputsOf: NOTHING,
    isChanged: false,
  };
}

/** The part of a decision that most kinds share. */
function unchanged(unit: UnitView) {
  return {
    state: unit.state,
    wanted: unit.wanted,
    canonicalOrdinal: unit.canonicalOrdinal,
    blocked: null,
    failure: null,
    askUploadOf: null,
    reticketFrom: null,
  };
}
