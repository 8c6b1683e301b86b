import { decideUnit } from './decide-unit.js';
import type { TaskChange, UnitDecision } from './unit-decision.js';
import { applyDecision } from './unit-decision.js';
import type { UnitEvent } from './unit-event.js';
import { applyUnitEvent } from './unit-event.js';
import type { UnitRules, UnitView } from './unit-view.js';

export interface UnitTransition {
  /** The unit once the decision is saved. */
  readonly unit: UnitView;
  /** What to save, relative to the unit that was passed in; a newly assigned task's row is the claim's own. */
  readonly decision: UnitDecision;
}

/**
 * The one state machine of work units and their tasks. Load the unit with all its tasks, pass what happened, save the
 * decision only if the unit is still as it was loaded, else load it again: no lock is held in between. Late, repeated and
 * contradictory events are harmless.
 *
 * Services that store an event by a statement of their own (a report, a swept deadline) pass `examined` afterwards.
 *
 * @param nowMs milliseconds since the epoch
 */
export function transitionUnit(
  unit: UnitView,
  event: UnitEvent,
  rules: UnitRules,
  nowMs: number,
): UnitTransition {
  const happened = applyUnitEvent(unit, event, rules);
  const decision = decideUnit(happened, rules, nowMs);
  const after = applyDecision(happened, decision, nowMs);
  if (happened === unit) return { unit: after, decision };
  const reticketFrom = unit.state !== 'open' && after.state === 'open' ? endOfOrdinals(after) : null;
  return {
    unit: after,
    decision: { ...decision, tasks: taskChanges(unit, after), reticketFrom, isChanged: true },
  };
}

function endOfOrdinals({ tasks }: UnitView): number {
  let end = 0;
  for (const { ordinal } of tasks) end = Math.max(end, ordinal + 1);
  return end;
}

function taskChanges(before: UnitView, after: UnitView): readonly TaskChange[] {
  const changes: TaskChange[] = [];
  for (const { ordinal, state, counts } of after.tasks) {
    const known = before.tasks.find((task) => task.ordinal === ordinal);
    if (known && (known.state !== state || known.counts !== counts)) changes.push({ ordinal, state, counts });
  }
  return changes;
}
