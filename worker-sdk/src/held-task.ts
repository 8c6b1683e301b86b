import { resultReport, taskAssignment, workJob } from '@gleaner/protocol';
import { z } from 'zod';

/** A task that this host holds, as it is kept on disk. */
export const heldTask = z.strictObject({
  task: taskAssignment,
  job: workJob,
  /**
   * By this host's own clock, in milliseconds since the epoch: derived from the time left when it was assigned. For the next
   * run alone; the run that was given the task goes by a clock that nobody can set.
   */
  deadlineAtMs: z.number(),
  /** Times that its computation has begun: one that takes the host down each time is given up. */
  starts: z.number().int().min(0),
});
export type HeldTask = z.infer<typeof heldTask>;

/** A result that waits for the coordinator's acknowledgement, as it is kept on disk. */
export const heldResult = z.strictObject({
  report: resultReport,
  jobName: z.string(),
  app: z.string(),
  /** Outputs too large to travel in the report, kept until the coordinator asks for them. */
  keptOutputs: z.array(z.string()),
});
export type HeldResult = z.infer<typeof heldResult>;

/** An output in memory, about to be kept. */
export interface OutputToKeep {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Where a host keeps what must survive a crash: tasks that it was given and results that were not acknowledged. */
export interface TaskStore {
  /** Everything kept by an earlier run; damaged entries are left out, removed and named. */
  load(): Promise<{
    readonly tasks: readonly HeldTask[];
    readonly results: readonly HeldResult[];
    readonly damaged: readonly string[];
  }>;
  saveTask(task: HeldTask): Promise<void>;
  /** Keeps the result and its large outputs, then forgets the task. */
  saveResult(result: HeldResult, outputs: readonly OutputToKeep[]): Promise<void>;
  /** Forgets a task that will not be computed. */
  dropTask(taskId: string): Promise<void>;
  /** Forgets the report, and the task where it is still there. With `keepOutputs`, its large outputs stay until asked for or too old. */
  dropResult(taskId: string, keepOutputs: boolean): Promise<void>;
  /** The kept output, or undefined when there is none (any longer). */
  readOutput(taskId: string, name: string): Promise<Blob | undefined>;
  dropOutput(taskId: string, name: string): Promise<void>;
}
