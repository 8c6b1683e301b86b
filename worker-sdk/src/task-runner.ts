import type { RunOptions, UnitResult } from '@gleaner/sandbox/runner';
import type { ComputeAllowance } from './compute-allowance.js';
import type { ComputingTime } from './computing-time.js';
import type { HeldTask } from './held-task.js';

/** {@link RunOptions} with the signal that ends the task, and what the runner counts its computing in. */
export type TaskRunOptions = RunOptions & {
  readonly signal: AbortSignal;
  /** Time until the deadline, in whole milliseconds: a result that comes later is of no use. */
  readonly leftMs: number;
  readonly computing?: ComputingTime;
};

/** Computes tasks, up to one a core at the same time. */
export interface TaskRunner {
  /**
   * Obtains module and inputs and runs the unit. What goes wrong on this host is a result with outcome
   * `infrastructure`; the promise rejects only when `options.signal` aborts.
   */
  run(held: HeldTask, options: TaskRunOptions): Promise<UnitResult>;
  /** Fetches what a waiting task will need, so that its turn begins with computing; what fails now is tried again then. */
  prefetch?(held: HeldTask, signal: AbortSignal): Promise<void>;
  /** Of these tasks, those whose state is kept, so that another run on this host can go on with them. */
  kept?(taskIds: readonly string[]): Promise<readonly string[]>;
  /** Forgets what it keeps on disk for tasks other than these, such as snapshots of unfinished units. */
  retain(taskIds: readonly string[]): Promise<void>;
  /** Pauses, slows down and continues tasks that run, at once. */
  allow(allowance: ComputeAllowance): void;
  /** Ends every process that it started. */
  close(): Promise<void>;
}
