import type { UnitResult } from '@gleaner/sandbox/runner';
import { ComputingTime } from './computing-time.js';
import type { Emitter } from './emitter.js';
import type { HeldResult, HeldTask, OutputToKeep, TaskStore } from './held-task.js';
import { forgetTask, keepTask } from './keep-task.js';
import { infrastructureResult, reportOf } from './result-report.js';
import { sentenceOf } from './sentence-of.js';
import type { TaskRunner } from './task-runner.js';
import type { RunningTask, WorkerEvents } from './worker-events.js';

/** Beginnings of one task's computation that took its sandbox or the whole host down, after which it is given up. */
const MAX_STARTS = 3;

export interface TaskComputationComponents {
  readonly store: TaskStore;
  readonly runner: TaskRunner;
  readonly events: Emitter<WorkerEvents>;
}

/** Why a running task's computation is aborted. */
class TaskDropped extends Error {
  override readonly name = 'TaskDropped';
}

/** Why a running task's state is kept and its computation ends for now. */
class TaskSuspended extends Error {
  override readonly name = 'TaskSuspended';
}

/** What came of a computation: what was computed, and how it is reported. */
export interface Computed {
  readonly held: HeldResult;
  readonly result: UnitResult;
}

/** One task while it computes. */
export class TaskComputation {
  readonly startedAt = new Date();
  /** Resolves when it has ended, however that was; null without a result. */
  readonly ended: Promise<Computed | null>;
  readonly #computing = new ComputingTime();
  #held: HeldTask;
  readonly #abort = new AbortController();
  readonly #suspend = new AbortController();
  #permille: number | null = null;
  #cycles: bigint | null = null;

  constructor(
    held: HeldTask,
    /** By `performance.now()`. */
    private readonly dueAtMs: number,
    private readonly components: TaskComputationComponents,
    /** Memory that one task may use, in MiB, whatever the coordinator says. */
    private readonly memoryMiB: number,
  ) {
    this.#held = { ...held, starts: held.starts + 1 };
    this.ended = this.#compute();
  }

  get held(): HeldTask {
    return this.#held;
  }

  /** What it has had of a core in this run, in milliseconds. */
  get computedMs(): number {
    return this.#computing.ms;
  }

  /** How long it might compute in this run, in milliseconds: pauses and the machine's sleep are not counted. */
  get activeMs(): number {
    return this.#computing.activeMs;
  }

  /** As `status` shows it. */
  get description(): RunningTask {
    const { jobId } = this.#held.job;
    return { ...this.#description, jobId, startedAt: this.startedAt, permille: this.#permille };
  }

  /** As a heartbeat tells it. */
  get progress(): { taskId: string; progressPermille?: number; cycles?: string } {
    return {
      taskId: this.#held.task.taskId,
      ...(this.#permille !== null && { progressPermille: this.#permille }),
      ...(this.#cycles !== null && { cycles: this.#cycles.toString() }),
    };
  }

  /** Nobody wants its result any more. */
  drop(reason: string): void {
    this.#abort.abort(new TaskDropped(reason));
  }

  /** Asks for a last snapshot. */
  suspend(): void {
    this.#suspend.abort(new TaskSuspended());
  }

  /** Ends it where it is; it stays on the disk. */
  stop(): void {
    this.#abort.abort(new DOMException('the worker stops', 'AbortError'));
  }

  get #description(): { taskId: string; jobName: string; app: string } {
    const { task, job } = this.#held;
    return { taskId: task.taskId, jobName: job.name, app: `${job.app.name}@${job.app.version}` };
  }

  async #compute(): Promise<Computed | null> {
    try {
      await keepTask(this.components, this.#held);
      this.components.events.emit('task-started', this.#description);
      const result = await this.#runToEnd();
      this.#abort.signal.throwIfAborted();
      return await this.#keep(result);
    } catch (error) {
      return this.#ended(error);
    }
  }

  /** A sandbox that others end takes no more with it than what came after its last snapshot. */
  async #runToEnd(): Promise<UnitResult> {
    for (;;) {
      const result = await this.#run();
      if (!result.isSandboxGone || this.#held.starts >= MAX_STARTS || !(await this.#hasSnapshot()))
        return result;
      this.#held = { ...this.#held, starts: this.#held.starts + 1 };
      await keepTask(this.components, this.#held);
      const reason = result.message ?? '';
      this.components.events.emit('task-continued', { taskId: this.#held.task.taskId, reason });
    }
  }

  async #hasSnapshot(): Promise<boolean> {
    try {
      const kept = await this.components.runner.kept?.([this.#held.task.taskId]);
      return kept !== undefined && kept.length > 0;
    } catch {
      // What cannot be looked for cannot be gone on with.
      return false;
    }
  }

  async #run(): Promise<UnitResult> {
    const { events, runner } = this.components;
    const { job, task, starts } = this.#held;
    // Kept from a run that offered more, or given out by a coordinator that pays no heed to what is offered.
    if (job.limits.memoryMiB > this.memoryMiB) {
      return infrastructureResult(
        `the task needs ${job.limits.memoryMiB} MiB of memory, this host offers ${this.memoryMiB}`,
      );
    }
    if (starts > MAX_STARTS) {
      return infrastructureResult(`the host went down ${MAX_STARTS} times while it computed this task`);
    }
    return runner.run(this.#held, {
      leftMs: Math.ceil(this.dueAtMs - performance.now()),
      signal: this.#abort.signal,
      suspend: this.#suspend.signal,
      computing: this.#computing,
      onCheckpointTrouble: (trouble) => {
        events.emit('task-snapshots', { taskId: task.taskId, trouble });
      },
      onProgress: ({ permille, cycles }) => {
        this.#permille = permille;
        this.#cycles = cycles;
        events.emit('task-progress', { taskId: task.taskId, permille, cycles });
      },
    });
  }

  async #keep(result: UnitResult): Promise<Computed> {
    const { events, store } = this.components;
    const { taskId } = this.#held.task;
    const { held, outputsToKeep } = this.#heldResultOf(result);
    try {
      await store.saveResult(held, outputsToKeep);
      return { held, result };
    } catch (error) {
      const reason = sentenceOf(error);
      events.emit('not-kept', { taskId, reason });
      // Such as on a full disk: what travels with the report can be told from memory, larger outputs are lost.
      if (outputsToKeep.length === 0) return { held, result };
      const failure = infrastructureResult(`its outputs could not be kept: ${reason}`);
      return { held: this.#heldResultOf(failure).held, result: failure };
    }
  }

  #heldResultOf(result: UnitResult): { held: HeldResult; outputsToKeep: readonly OutputToKeep[] } {
    const { taskId, jobName, app } = this.#description;
    const { report, outputsToKeep } = reportOf(taskId, this.#held.job.app.runtimeVersion, result);
    const keptOutputs = outputsToKeep.map(({ name }) => name);
    return { held: { report, jobName, app, keptOutputs }, outputsToKeep };
  }

  /** It was ended before it had a result, or nobody could foresee why it has none. */
  async #ended(error: unknown): Promise<Computed | null> {
    const { events, store } = this.components;
    const { taskId } = this.#held.task;
    const cause: unknown = this.#abort.signal.reason;
    if (error instanceof TaskSuspended) {
      // This start did not take the host down.
      await keepTask(this.components, { ...this.#held, starts: this.#held.starts - 1 });
      events.emit('task-suspended', { taskId });
      return null;
    }
    if (cause instanceof TaskDropped) {
      await forgetTask(store, taskId);
      events.emit('task-dropped', { taskId, reason: cause.message });
      return null;
    }
    if (this.#abort.signal.aborted) return null;
    return this.#keep(infrastructureResult(sentenceOf(error)));
  }
}
