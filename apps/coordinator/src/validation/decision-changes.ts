import { changeTasks, isFinalUnitState, type TaskView, type UnitDecision } from '@gleaner/domain';
import type { TaskState, UnitState } from '@gleaner/protocol';
import type { LoadedUnit } from './unit-reader.service.js';

export interface DecidedUnit {
  readonly unit: LoadedUnit;
  readonly decision: UnitDecision;
}

/** A task's next state, if it is still in the one before. */
export interface TaskChangeRow {
  readonly unitId: number;
  readonly ordinal: number;
  readonly before: TaskState;
  readonly state: TaskState;
  readonly counts: boolean;
  readonly dropped: boolean;
}

/** By how much the numbers of a host's judged tasks change. */
export interface JudgedRow {
  readonly unitId: number;
  readonly hostId: string;
  readonly valid: number;
  readonly invalid: number;
  readonly errors: number;
}

/** By how much the sums of a job change. */
export interface TallyRow {
  readonly unitId: number;
  readonly jobId: string;
  readonly valid: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly tasks: number;
  readonly cycles: bigint;
}

export interface LeaseRow {
  readonly hostId: string;
  readonly unitId: number;
  readonly ordinal: number;
}

/** An entry that takes back the one before it. */
export interface ReversalRow {
  readonly unitId: number;
  readonly ordinal: number;
  /** Position among the entries of the task. */
  readonly sequence: number;
}

export interface CreditRow extends ReversalRow {
  readonly accountId: string;
  /** Whose account it is: where it was claimed, its claimer's. */
  readonly personId: string;
  readonly hostId: string;
  readonly cycles: bigint;
}

/** Everything that a batch of decisions changes, each row by the unit it belongs to. */
export class DecisionChanges {
  readonly tasks: TaskChangeRow[] = [];
  readonly released: LeaseRow[] = [];
  readonly credits: CreditRow[] = [];
  readonly reversals: ReversalRow[] = [];
  readonly judged: JudgedRow[] = [];
  readonly tallies: TallyRow[] = [];

  constructor(decided: readonly DecidedUnit[]) {
    for (const { unit, decision } of decided) this.addUnit(unit, decision);
  }

  private addUnit(unit: LoadedUnit, decision: UnitDecision): void {
    const { unitId, view } = unit;
    const tasks = new Map(view.tasks.map((task) => [task.ordinal, task]));
    const dropped = new Set(decision.dropOutputsOf);
    for (const { ordinal, state, counts } of decision.tasks) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      const hostId = String(task.hostId);
      this.tasks.push({
        unitId,
        ordinal,
        before: task.state,
        state,
        counts,
        dropped: dropped.delete(ordinal),
      });
      if (task.state === 'in-progress') this.released.push({ hostId, unitId, ordinal });
      this.judge(unitId, hostId, task.state, state);
    }
    for (const ordinal of dropped) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      const { state, counts } = task;
      this.tasks.push({ unitId, ordinal, before: state, state, counts, dropped: true });
    }
    for (const { ordinal, cycles: credit } of decision.credits) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      this.credits.push({
        unitId,
        ordinal,
        accountId: String(task.accountId),
        personId: String(task.personId),
        hostId: String(task.hostId),
        cycles: credit,
        sequence: unit.creditEntries.get(ordinal) ?? 0,
      });
    }
    for (const ordinal of decision.revoked) {
      this.reversals.push({ unitId, ordinal, sequence: unit.creditEntries.get(ordinal) ?? 0 });
    }
    this.tally(unit, decision);
  }

  private judge(unitId: number, hostId: string, before: TaskState, after: TaskState): void {
    const step = (state: TaskState): number => Number(after === state) - Number(before === state);
    const judged = { valid: step('valid'), invalid: step('invalid'), errors: step('error') };
    if (judged.valid !== 0 || judged.invalid !== 0 || judged.errors !== 0) {
      this.judged.push({ unitId, hostId, ...judged });
    }
  }

  private tally({ unitId, jobId, view }: LoadedUnit, decision: UnitDecision): void {
    const after = decision.state;
    const step = (state: UnitState): number => Number(after === state) - Number(view.state === state);
    const tally = { valid: step('valid'), failed: step('failed'), cancelled: step('cancelled') };
    const settled = tally.valid + tally.failed + tally.cancelled;
    // What was judged valid can be judged otherwise later, where accounts turn out to be one person's.
    const cycles =
      validCycles(after, changeTasks(view.tasks, decision.tasks)) - validCycles(view.state, view.tasks);
    if (settled === 0 && cycles === 0n) return;
    this.tallies.push({ unitId, jobId, ...tally, tasks: settled * view.tasks.length, cycles });
  }
}

/** Cycles of the valid tasks of a settled unit. */
function validCycles(state: UnitState, tasks: readonly TaskView[]): bigint {
  let cycles = 0n;
  if (isFinalUnitState(state)) {
    for (const task of tasks) if (task.state === 'valid') cycles += task.result?.cycles ?? 0n;
  }
  return cycles;
}
