import type { UnitResult } from '@gleaner/sandbox/runner';
import { ComputingTime } from './computing-time.js';
import type { Emitter } from './emitter.js';
import type { HeldResult, HeldTask, TaskStore } from './held-task.js';
import { infrastructureResult, reportOf } from './result-report.js';
import { sentenceOf } from './sentence-of.js';
import type { TaskRunner } from './task-runner.js';
import type { RunningTask, WorkerEvents } from './worker-events.js';

/** Beginnings of one task's computation that took the whole host down, after which it is given up. */
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

/** What came of a computation: a result to report, and what was computed for it where it was; null without a result. */
export interface Computed {
  readonly held: HeldResult;
  readonly result: UnitResult | null;
}

/** One task while it computes. */
export class TaskComputation {
  readonly startedAt = new Date();
  /** Resolves when it has ended, however that was. */
  readonly ended: Promise<Computed | null>;
  readonly #computing = new ComputingTime();
  readonly #held: HeldTask;
  readonly #abort = new AbortController();
  readonly #suspend = new AbortController();
  #permille: number | null = null;
  #cycles: bigint | null = null;

  constructor(
    held: HeldTask,
    private readonly components: TaskComputationComponents,
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
    return { ...this.#description, startedAt: this.startedAt, permille: this.#permille };
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
    const { events, store } = this.components;
    try {
      await store.saveTask(this.#held);
      events.emit('task-started', this.#description);
      const result = await this.#run();
      this.#abort.signal.throwIfAborted();
      return { held: await this.#keep(result), result };
    } catch (error) {
      return this.#failed(error);
    }
  }

  async #run(): Promise<UnitResult> {
    const { events, runner } = this.components;
    const { task, starts } = this.#held;
    if (starts > MAX_STARTS) {
      return infrastructureResult(`the host went down ${MAX_STARTS} times while it computed this task`);
    }
    return runner.run(this.#held, {
      signal: this.#abort.signal,
      suspend: this.#suspend.signal,
      computing: this.#computing,
      onProgress: ({ permille, cycles }) => {
        this.#permille = permille;
        this.#cycles = cycles;
        events.emit('task-progress', { taskId: task.taskId, permille, cycles });
      },
    });
  }

  async #keep(result: UnitResult): Promise<HeldResult> {
    const { taskId, jobName, app } = this.#description;
    const { report, outputsToKeep } = reportOf(taskId, this.#held.job.app.runtimeVersion, result);
    const held = { report, jobName, app, keptOutputs: outputsToKeep.map(({ name }) => name) };
    await this.components.store.saveResult(held, outputsToKeep);
    return held;
  }

  async #failed(error: unknown): Promise<Computed | null> {
    const { events, store } = this.components;
    const { taskId, jobName, app } = this.#description;
    const cause: unknown = this.#abort.signal.reason;
    if (error instanceof TaskSuspended) {
      // This start did not take the host down.
      await store.saveTask({ ...this.#held, starts: this.#held.starts - 1 });
      events.emit('task-suspended', { taskId });
      return null;
    }
    if (cause instanceof TaskDropped) {
      await store.dropTask(taskId);
      events.emit('task-dropped', { taskId, reason: cause.message });
      return null;
    }
    if (this.#abort.signal.aborted) return null;
    // Such as a full disk: the result cannot be kept, so it is told from memory, without its outputs.
    const reason = sentenceOf(error);
    events.emit('task-dropped', { taskId, reason });
    const { report } = reportOf(taskId, this.#held.job.app.runtimeVersion, infrastructureResult(reason));
    return { held: { report, jobName, app, keptOutputs: [] }, result: null };
  }
}
