import { LIMITS, type WorkResponse } from '@gleaner/protocol';
import { updatedMeanTaskMs } from '@gleaner/domain';
import type { HeldTask, TaskStore } from './held-task.js';
import type { WorkerPolicy } from './policy.js';
import { forgetTask, keepTask } from './keep-task.js';
import { Prefetcher } from './prefetcher.js';
import { TaskComputation } from './task-computation.js';
import type { TaskRunner } from './task-runner.js';
import { UnreportedResults } from './unreported-results.js';
import type { Emitter } from './emitter.js';
import type { RunningTask, WorkerEvents } from './worker-events.js';

/** Time that keeping the state of all running tasks may take. */
const SUSPEND_WITHIN_MS = 10_000;

/** A task that has not been started in this run. */
interface Waiting {
  readonly held: HeldTask;
  /** By the clock that nobody can set: the machine's own may be put right at any time. */
  readonly dueAtMs: number;
}

interface Running {
  readonly computation: TaskComputation;
  /** Resolves when the desk knows what came of it. */
  readonly ended: Promise<void>;
}

export interface TaskDeskComponents {
  readonly store: TaskStore;
  readonly runner: TaskRunner;
  readonly events: Emitter<WorkerEvents>;
  /** Called whenever a core or a result has become free. */
  readonly changed: () => void;
}

/** What becomes of unfinished tasks when the worker stops. */
export interface ClosedDesk {
  /** Ids of tasks for others to compute. */
  readonly returned: readonly string[];
  /** Ids of tasks whose state is kept: the next run in the same directory goes on with them. */
  readonly kept: readonly string[];
}

/** Everything on this host's desk: tasks that wait, tasks that run, results that were not acknowledged. */
export class TaskDesk {
  readonly #waiting: Waiting[] = [];
  readonly #running = new Map<string, Running>();
  /** Computed, and not acknowledged. */
  readonly unreported: UnreportedResults;
  #meanTaskMs: number | null = null;
  #finishedTasks = 0;
  #cycles = 0n;
  #open = true;
  #allowedCores = Number.MAX_SAFE_INTEGER;
  /** Tasks that went on from a snapshot of an earlier run. */
  #carriedOver: ReadonlySet<string> = new Set();
  readonly #prefetcher: Prefetcher;

  constructor(
    private readonly components: TaskDeskComponents,
    private readonly policy: Pick<WorkerPolicy, 'cores' | 'memoryMiB' | 'keepAfterMs'>,
  ) {
    this.unreported = new UnreportedResults(components);
    // As far ahead as there are cores.
    this.#prefetcher = new Prefetcher(components.runner, () =>
      this.#waiting.slice(0, policy.cores).map(({ held }) => held),
    );
  }

  /** Takes up what an earlier run left on the disk. */
  async load(): Promise<void> {
    const { tasks, results, damaged } = await this.components.store.load();
    const reason = 'removed: the coordinator gives the task out again';
    for (const file of damaged) this.components.events.emit('state-damaged', { file, reason });
    for (const result of results) this.unreported.add(result);
    for (const held of tasks) {
      const leftMs = held.deadlineAtMs - Date.now();
      if (leftMs <= 0) await this.#dropWaiting(held, 'its deadline passed while the host was off');
      else this.#waiting.push({ held, dueAtMs: performance.now() + leftMs });
    }
    const taskIds = this.#waiting.map(({ held }) => held.task.taskId);
    this.#carriedOver = new Set(await this.components.runner.kept?.(taskIds));
    await this.#retainHeld();
  }

  get running(): RunningTask[] {
    return [...this.#running.values()].map(({ computation }) => computation.description);
  }

  get tallies(): { buffered: number; unreported: number; finishedTasks: number; cycles: bigint } {
    return {
      buffered: this.#waiting.length,
      unreported: this.unreported.size,
      finishedTasks: this.#finishedTasks,
      cycles: this.#cycles,
    };
  }

  /** Input of the rule that decides how many tasks to ask for. */
  get inHand(): { cores: number; running: number; buffered: number; meanTaskMs: number | null } {
    return {
      cores: this.#coresNow(),
      running: this.#running.size,
      buffered: this.#waiting.length,
      meanTaskMs: this.#meanTaskMs,
    };
  }

  /** What a heartbeat tells: every unfinished task, running or not. */
  get heartbeat(): Array<{ taskId: string; progressPermille?: number; cycles?: string }> {
    const running = [...this.#running.values()].map(({ computation }) => computation.progress);
    return [...running, ...this.#waiting.map(({ held }) => ({ taskId: held.task.taskId }))].slice(
      0,
      LIMITS.hostTasksInProgress,
    );
  }

  /** Ids of all tasks here: unfinished ones, and those whose result is not acknowledged yet. */
  get holding(): string[] {
    const unfinished = this.heartbeat.map(({ taskId }) => taskId);
    return [...unfinished, ...this.unreported.taskIds].slice(0, LIMITS.hostTasksInProgress);
  }

  /** Puts the tasks of an answer on the desk. */
  async take(answer: WorkResponse): Promise<void> {
    const jobs = new Map(answer.jobs.map((job) => [job.jobId, job]));
    for (const task of answer.tasks) {
      const job = jobs.get(task.jobId);
      if (!job || this.#holds(task.taskId)) continue;
      const held: HeldTask = { task, job, deadlineAtMs: Date.now() + task.deadlineMs, starts: 0 };
      const dueAtMs = performance.now() + task.deadlineMs;
      await keepTask(this.components, held);
      this.#waiting.push({ held, dueAtMs });
    }
    this.startTasks();
  }

  /** Starts no more than this many tasks at the same time; what runs already is the runner's to pause. */
  allow(cores: number): void {
    this.#allowedCores = cores;
    this.startTasks();
  }

  /** Starts waiting tasks on free cores, the nearest deadline first. */
  startTasks(): void {
    this.#waiting.sort((a, b) => a.dueAtMs - b.dueAtMs);
    while (this.#open && this.#running.size < this.#coresNow()) {
      const next = this.#waiting.shift();
      if (!next) break;
      const { held, dueAtMs } = next;
      if (dueAtMs <= performance.now()) {
        void this.#dropWaiting(held, 'its deadline passed before its turn came').then(() =>
          this.#removeSnapshots(),
        );
        continue;
      }
      const computation = new TaskComputation(held, dueAtMs, this.components, this.policy.memoryMiB);
      const { taskId } = held.task;
      this.#running.set(taskId, { computation, ended: this.#await(taskId, computation) });
    }
    void this.#prefetcher.follow();
  }

  /** Gives a task up: it is computed no further and never reported. */
  async drop(taskId: string, reason: string): Promise<void> {
    const index = this.#waiting.findIndex(({ held }) => held.task.taskId === taskId);
    const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiting) await this.#dropWaiting(waiting.held, reason);
    const running = this.#running.get(taskId);
    running?.computation.drop(reason);
    await running?.ended;
    await this.#retainHeld();
  }

  /** What waits stays where it is from now on. */
  startNoMore(): void {
    this.#open = false;
    this.#prefetcher.end();
  }

  /** Starts nothing more, lets what runs end, and returns when it has or when the signal aborts. */
  async finishRunning(signal: AbortSignal): Promise<void> {
    this.startNoMore();
    const ended = Promise.all([...this.#running.values()].map((running) => running.ended));
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    await Promise.race([ended, aborted]);
  }

  /**
   * Stops every computation. Tasks that compute in steps are asked for a last snapshot first: those that much work has gone
   * into stay this host's. Everything unfinished stays on the disk until it is forgotten.
   */
  async close(): Promise<ClosedDesk> {
    this.startNoMore();
    const unfinished = this.heartbeat.map(({ taskId }) => taskId);
    const running = [...this.#running.values()];
    const worthKeeping = running.filter(({ computation }) => this.#isWorthKeeping(computation));
    for (const { computation } of worthKeeping) computation.suspend();
    await withinMs(Promise.all(worthKeeping.map(({ ended }) => ended)), SUSPEND_WITHIN_MS);
    for (const { computation } of running) computation.stop();
    await Promise.all(running.map((task) => task.ended));
    const candidates = [
      ...this.#carriedOver,
      ...worthKeeping.map(({ computation }) => computation.held.task.taskId),
    ];
    const left = unfinished.filter((taskId) => !this.unreported.has(taskId));
    const kept = new Set(await this.components.runner.kept?.(left.filter((id) => candidates.includes(id))));
    return { returned: left.filter((taskId) => !kept.has(taskId)), kept: [...kept] };
  }

  /** Forgets tasks that were returned to the coordinator. */
  async forget({ returned, kept }: ClosedDesk): Promise<void> {
    for (const taskId of returned) await forgetTask(this.components.store, taskId);
    await this.components.runner.retain(kept);
  }

  #isWorthKeeping({ held, computedMs }: TaskComputation): boolean {
    if (!held.job.app.stepping) return false;
    return computedMs >= this.policy.keepAfterMs || this.#carriedOver.has(held.task.taskId);
  }

  #coresNow(): number {
    return Math.min(this.policy.cores, this.#allowedCores);
  }

  async #await(taskId: string, computation: TaskComputation): Promise<void> {
    let isFailure = false;
    try {
      const computed = await computation.ended;
      if (!computed) return;
      const { held, result } = computed;
      this.unreported.add(held);
      const { outcome, cycles, wallMs, message, resumedCycles = null } = result;
      this.#finishedTasks += 1;
      this.#cycles += cycles;
      isFailure = outcome === 'infrastructure';
      if (!isFailure) {
        this.#meanTaskMs = updatedMeanTaskMs(this.#meanTaskMs, computation.activeMs);
      }
      const { jobName, app } = held;
      const finished = { taskId, jobName, app, outcome, cycles, wallMs, resumedCycles, message };
      this.components.events.emit('task-finished', finished);
    } finally {
      this.#running.delete(taskId);
      this.#prefetcher.forget(taskId);
      this.startTasks();
      this.components.changed();
    }
    // A result takes its snapshot along. After a failure of this host one is left that may be as large as the app's memory.
    if (isFailure) await this.#removeSnapshots();
  }

  async #dropWaiting(held: HeldTask, reason: string): Promise<void> {
    this.#prefetcher.forget(held.task.taskId);
    await forgetTask(this.components.store, held.task.taskId);
    this.components.events.emit('task-dropped', { taskId: held.task.taskId, reason });
  }

  /** Those of tasks that are here no longer. Once the desk is being cleared, what is suspended is not here and still to be kept. */
  async #removeSnapshots(): Promise<void> {
    // What cannot be removed now goes with the next one, or when the agent starts again.
    if (this.#open) await this.#retainHeld().catch(() => undefined);
  }

  async #retainHeld(): Promise<void> {
    await this.components.runner.retain(this.heartbeat.map(({ taskId }) => taskId));
  }

  #holds(taskId: string): boolean {
    return (
      this.#running.has(taskId) ||
      this.unreported.has(taskId) ||
      this.#waiting.some(({ held }) => held.task.taskId === taskId)
    );
  }
}

async function withinMs(promise: Promise<unknown>, timeMs: number): Promise<void> {
  const { promise: timeIsUp, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeMs);
  await Promise.race([promise, timeIsUp]);
  clearTimeout(timer);
}
