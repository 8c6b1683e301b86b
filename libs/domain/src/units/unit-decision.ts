import type { TaskState, UnitState } from '@gleaner/protocol';
import type { TaskView, UnitView } from './unit-view.js';
import { isFinalUnitState } from './unit-view.js';

export interface TaskChange {
  readonly ordinal: number;
  readonly state: TaskState;
  readonly counts: boolean;
}

/** What to save after an event, absolute values for the unit and changes for its tasks. */
export interface UnitDecision {
  readonly state: UnitState;
  readonly wanted: number;
  readonly canonicalOrdinal: number | null;
  /** What an open unit cannot go on without; null while somebody works on it or tickets wait for anybody. */
  readonly blocked: string | null;
  /** Why the unit fails, in words; null otherwise, also for one that has failed before: its row tells. */
  readonly failure: string | null;
  /** Tasks whose row changes; `aborted` ones that were in progress are told so at their host's next heartbeat. */
  readonly tasks: readonly TaskChange[];
  /** Credit to grant, in cycles: for one task of each person. */
  readonly credits: ReadonlyArray<{ readonly ordinal: number; readonly cycles: bigint }>;
  /** Tasks that hold credit which is taken back: judged otherwise by now, or of a person who holds it by another task. */
  readonly revoked: readonly number[];
  /** The task whose host is asked to upload its outputs; null where nobody is (the ask before still stands). */
  readonly askUploadOf: number | null;
  /** Tasks whose stored output bytes are no longer needed: all but the canonical one. */
  readonly dropOutputsOf: readonly number[];
  /**
   * Only when the event opened the unit again: tickets from this ordinal on may have been dropped meanwhile, so lower
   * `ticketed` to it. Null otherwise.
   */
  readonly reticketFrom: number | null;
  /** Whether anything but `blocked` differs from what was loaded. */
  readonly isChanged: boolean;
}

/** Tasks with their new states; the others as they were. */
export function changeTasks(tasks: readonly TaskView[], changes: readonly TaskChange[]): readonly TaskView[] {
  if (changes.length === 0) return tasks;
  const byOrdinal = new Map(changes.map((change) => [change.ordinal, change]));
  return tasks.map((task) => ({ ...task, ...byOrdinal.get(task.ordinal) }));
}

/** The unit after its decision was saved. */
export function applyDecision(unit: UnitView, decision: UnitDecision, nowMs: number): UnitView {
  const dropped = new Set(decision.dropOutputsOf);
  const revoked = new Set(decision.revoked);
  const granted = new Map(decision.credits.map(({ ordinal, cycles }) => [ordinal, cycles]));
  return {
    ...unit,
    state: decision.state,
    wanted: decision.wanted,
    canonicalOrdinal: decision.canonicalOrdinal,
    settledAtMs: isFinalUnitState(decision.state) ? (unit.settledAtMs ?? nowMs) : null,
    tasks: changeTasks(unit.tasks, decision.tasks).map((task) => ({
      ...task,
      result: task.result && dropped.has(task.ordinal) ? { ...task.result, outputsHeld: false } : task.result,
      heldCredit: granted.get(task.ordinal) ?? (revoked.has(task.ordinal) ? null : task.heldCredit),
    })),
  };
}
