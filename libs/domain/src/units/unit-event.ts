import type { Id, Party, TaskResult, TaskView, UnitRules, UnitView } from './unit-view.js';
import { distinctKey, isFinalUnitState } from './unit-view.js';
import { areEqualResults } from './find-canonical-result.js';
import { independentParties } from './independence.js';

/** Everything that can happen to a work unit. Ordinals name its tasks. */
export type UnitEvent =
  /** Nothing new: the rows already tell what happened (a report was stored, a deadline swept). */
  | { readonly kind: 'examined' }
  | { readonly kind: 'assigned'; readonly task: Party & Pick<TaskView, 'ordinal' | 'creditEligible'> }
  /** Outcome `infrastructure` is an error of the host, as `errored`. */
  | { readonly kind: 'reported'; readonly ordinal: number; readonly result: TaskResult }
  | { readonly kind: 'errored'; readonly ordinal: number }
  /** The deadline passed. */
  | { readonly kind: 'lost'; readonly ordinal: number }
  /** The host gave it back, or was told to stop. */
  | { readonly kind: 'returned'; readonly ordinal: number }
  | { readonly kind: 'output-uploaded'; readonly ordinal: number }
  | { readonly kind: 'output-timeout'; readonly ordinal: number }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'job-paused' }
  | { readonly kind: 'job-resumed' }
  /** Both persons are one from now on; the tasks may already tell so. Units of ended jobs stay settled. */
  | { readonly kind: 'accounts-linked'; readonly personId: Id; readonly formerPersonId: Id };

/**
 * The facts after an event, before anything is concluded from them. Repeated, contradictory and impossible events change
 * nothing: the same object comes back.
 */
export function applyUnitEvent(unit: UnitView, event: UnitEvent, rules: UnitRules): UnitView {
  switch (event.kind) {
    case 'examined':
      return unit;
    case 'assigned':
      return assign(unit, event.task, rules);
    case 'reported':
      return report(unit, event.ordinal, event.result, rules);
    case 'errored':
      return changeTask(unit, event.ordinal, (task) => stop(task, 'error'));
    case 'lost':
      return changeTask(unit, event.ordinal, (task) => stop(task, 'lost'));
    case 'returned':
      return changeTask(unit, event.ordinal, (task) => stop(task, 'aborted'));
    case 'output-uploaded':
      return changeTask(unit, event.ordinal, holdOutputs);
    case 'output-timeout':
      // The cursor stays, so that the next host is asked and not the same one again.
      return unit.state === 'awaiting-output' && unit.canonicalOrdinal === event.ordinal
        ? { ...unit, state: 'open' }
        : unit;
    case 'cancelled':
      return isFinalUnitState(unit.state) ? unit : { ...unit, state: 'cancelled' };
    case 'job-paused':
      return unit.jobPaused ? unit : { ...unit, jobPaused: true };
    case 'job-resumed':
      return unit.jobPaused ? { ...unit, jobPaused: false } : unit;
    case 'accounts-linked':
      return reopenUnlessIndependent(linkPersons(unit, event.personId, event.formerPersonId), rules);
  }
}

function assign(
  unit: UnitView,
  task: Party & Pick<TaskView, 'ordinal' | 'creditEligible'>,
  rules: UnitRules,
): UnitView {
  const key = distinctKey(task, rules);
  const isRefused =
    unit.state !== 'open' ||
    unit.jobPaused ||
    task.ordinal < 0 ||
    task.ordinal >= unit.wanted ||
    unit.tasks.some(
      (other) => other.ordinal === task.ordinal || (other.counts && distinctKey(other, rules) === key),
    );
  if (isRefused) return unit;
  const added: TaskView = { ...task, state: 'in-progress', counts: true, result: null, heldCredit: null };
  return { ...unit, tasks: [...unit.tasks, added].sort((a, b) => a.ordinal - b.ordinal) };
}

/** Late reports are welcome: of lost tasks while the unit is open, of any unfinished task after it settled by agreement. */
function report(unit: UnitView, ordinal: number, result: TaskResult, rules: UnitRules): UnitView {
  if (isFinalUnitState(unit.state) && unit.canonicalOrdinal === null) return unit;
  return changeTask(unit, ordinal, (task) => {
    const isUnfinished = task.state === 'in-progress' || task.state === 'lost' || task.state === 'aborted';
    if (!isUnfinished || task.result !== null) return task;
    if (result.outcome === 'infrastructure') return stop(task, 'error');
    const key = distinctKey(task, rules);
    const isSuperseded = unit.tasks.some(
      (other) => other !== task && other.counts && distinctKey(other, rules) === key,
    );
    return { ...task, state: 'reported', counts: !isSuperseded, result };
  });
}

function changeTask(unit: UnitView, ordinal: number, change: (task: TaskView) => TaskView): UnitView {
  const at = unit.tasks.findIndex((task) => task.ordinal === ordinal);
  const task = unit.tasks[at];
  if (!task) return unit;
  const changed = change(task);
  return changed === task ? unit : { ...unit, tasks: unit.tasks.with(at, changed) };
}

function stop(task: TaskView, state: 'error' | 'lost' | 'aborted'): TaskView {
  return task.state === 'in-progress' ? { ...task, state, counts: false } : task;
}

function holdOutputs(task: TaskView): TaskView {
  return task.result && !task.result.outputsHeld
    ? { ...task, result: { ...task.result, outputsHeld: true } }
    : task;
}

function linkPersons(unit: UnitView, personId: Id, formerPersonId: Id): UnitView {
  const isConcerned = (person: Id): boolean => person === formerPersonId || person === personId;
  const { submitterPersonId: submitter } = unit;
  if (!isConcerned(submitter) && !unit.tasks.some((task) => isConcerned(task.personId))) return unit;
  return {
    ...unit,
    submitterPersonId: submitter === formerPersonId ? personId : submitter,
    tasks: unit.tasks.map((task) => (task.personId === formerPersonId ? { ...task, personId } : task)),
  };
}

/** A unit validated only by accounts that turn out to be one person is not validated: it looks for another volunteer. */
function reopenUnlessIndependent(unit: UnitView, rules: UnitRules): UnitView {
  if (unit.jobEnded) return unit;
  if (unit.state === 'open' || unit.canonicalOrdinal === null) return unit;
  const canonical = unit.tasks.find((task) => task.ordinal === unit.canonicalOrdinal)?.result;
  if (!canonical) return unit;
  const witnesses = unit.tasks.filter(
    (task) => task.counts && task.result !== null && areEqualResults(task.result, canonical),
  );
  if (independentParties(witnesses, rules, rules.quorum).length >= rules.quorum) return unit;
  return { ...unit, state: 'open', canonicalOrdinal: null, settledAtMs: null };
}
