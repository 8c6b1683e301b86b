import { LIMITS, type WorkResponse } from '@gleaner/protocol';
import { updatedMeanTaskMs } from '@gleaner/domain';
import type { HeldResult, HeldTask, TaskStore } from './held-task.js';
import { infrastructureResult, reportOf } from './result-report.js';
import { sentenceOf } from './sentence-of.js';
import type { TaskRunner } from './task-runner.js';
import { UnreportedResults } from './unreported-results.js';
import type { Emitter } from './emitter.js';
import type { RunningTask, WorkerEvents } from './worker-events.js';

/** Beginnings of one task's computation that took the whole host down, after which it is given up. */
const MAX_STARTS = 3;
/** What this much computing has gone into is worth keeping when the worker stops; less is done again elsewhere sooner. */
const WORTH_KEEPING_MS = 10_000;
/** Time that keeping the state of all running tasks may take. */
const SUSPEND_WITHIN_MS = 10_000;

interface Running {
  readonly held: HeldTask;
  readonly startedAt: Date;
  readonly abort: AbortController;
  readonly suspend: AbortController;
  permille: number | null;
  cycles: bigint | null;
  ended: Promise<void>;
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

/** Why a running task's computation is aborted. */
class TaskDropped extends Error {
  override readonly name = 'TaskDropped';
}

/** Why a running task's state is kept and its computation ends for now. */
class TaskSuspended extends Error {
  override readonly name = 'TaskSuspended';
}

/** Everything on this host's desk: tasks that wait, tasks that run, results that were not acknowledged. */
export class TaskDesk {
  readonly #waiting: HeldTask[] = [];
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
  readonly #prefetching = new AbortController();
  #isPrefetching = false;
  readonly #prefetched = new Set<string>();

  constructor(
    private readonly components: TaskDeskComponents,
    private readonly cores: number,
  ) {
    this.unreported = new UnreportedResults(components);
  }

  /** Takes up what an earlier run left on the disk. */
  async load(): Promise<void> {
    const { tasks, results, damaged } = await this.components.store.load();
    const reason = 'removed: the coordinator gives the task out again';
    for (const file of damaged) this.components.events.emit('state-damaged', { file, reason });
    for (const result of results) this.unreported.add(result);
    for (const held of tasks) {
      if (held.deadlineAtMs <= Date.now())
        await this.#dropWaiting(held, 'its deadline passed while the host was off');
      else this.#waiting.push(held);
    }
    const taskIds = this.#waiting.map(({ task }) => task.taskId);
    this.#carriedOver = new Set(await this.components.runner.kept?.(taskIds));
    await this.#retainHeld();
  }

  get running(): RunningTask[] {
    return [...this.#running.values()].map(({ held, startedAt, permille }) => ({
      taskId: held.task.taskId,
      jobName: held.job.name,
      app: appOf(held),
      startedAt,
      permille,
    }));
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
    const running = [...this.#running.values()].map(({ held, permille, cycles }) => ({
      taskId: held.task.taskId,
      ...(permille !== null && { progressPermille: permille }),
      ...(cycles !== null && { cycles: cycles.toString() }),
    }));
    return [...running, ...this.#waiting.map(({ task }) => ({ taskId: task.taskId }))].slice(
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
      await this.components.store.saveTask(held);
      this.#waiting.push(held);
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
    this.#waiting.sort((a, b) => a.deadlineAtMs - b.deadlineAtMs);
    while (this.#open && this.#running.size < this.#coresNow()) {
      const held = this.#waiting.shift();
      if (!held) break;
      const running: Running = {
        held: { ...held, starts: held.starts + 1 },
        startedAt: new Date(),
        abort: new AbortController(),
        suspend: new AbortController(),
        permille: null,
        cycles: null,
        ended: Promise.resolve(),
      };
      this.#running.set(held.task.taskId, running);
      running.ended = this.#compute(running);
    }
    void this.#prefetch();
  }

  /** Gives a task up: it is computed no further and never reported. */
  async drop(taskId: string, reason: string): Promise<void> {
    const index = this.#waiting.findIndex((held) => held.task.taskId === taskId);
    const [held] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (held) await this.#dropWaiting(held, reason);
    const running = this.#running.get(taskId);
    running?.abort.abort(new TaskDropped(reason));
    await running?.ended;
    await this.#retainHeld();
  }

  /** What waits stays where it is from now on. */
  startNoMore(): void {
    this.#open = false;
    this.#prefetching.abort();
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
    const worthKeeping = running.filter((task) => this.#isWorthKeeping(task));
    for (const { suspend } of worthKeeping) suspend.abort(new TaskSuspended());
    await withinMs(Promise.all(worthKeeping.map(({ ended }) => ended)), SUSPEND_WITHIN_MS);
    for (const { abort } of running) abort.abort(new DOMException('the worker stops', 'AbortError'));
    await Promise.all(running.map((task) => task.ended));
    const candidates = [...this.#carriedOver, ...worthKeeping.map(({ held }) => held.task.taskId)];
    const left = unfinished.filter((taskId) => !this.unreported.has(taskId));
    const kept = new Set(await this.components.runner.kept?.(left.filter((id) => candidates.includes(id))));
    return { returned: left.filter((taskId) => !kept.has(taskId)), kept: [...kept] };
  }

  /** Forgets tasks that were returned to the coordinator. */
  async forget({ returned, kept }: ClosedDesk): Promise<void> {
    for (const taskId of returned) await this.components.store.dropTask(taskId);
    await this.components.runner.retain(kept);
  }

  #isWorthKeeping({ held, startedAt }: Running): boolean {
    if (!held.job.app.stepping) return false;
    const isOld = Date.now() - startedAt.getTime() >= WORTH_KEEPING_MS;
    return isOld || this.#carriedOver.has(held.task.taskId);
  }

  /** Fetches for the tasks that are next in line, one at a time, as far ahead as there are cores. */
  async #prefetch(): Promise<void> {
    const { runner } = this.components;
    if (this.#isPrefetching || !runner.prefetch) return;
    this.#isPrefetching = true;
    const { signal } = this.#prefetching;
    for (let next = this.#nextToFetch(); next && !signal.aborted; next = this.#nextToFetch()) {
      this.#prefetched.add(next.task.taskId);
      // The computation itself tells what is wrong, when it is tried again.
      await runner.prefetch(next, signal).catch(() => undefined);
    }
    this.#isPrefetching = false;
  }

  #nextToFetch(): HeldTask | undefined {
    const ahead = this.#waiting.slice(0, this.cores);
    return ahead.find(({ task }) => !this.#prefetched.has(task.taskId));
  }

  #coresNow(): number {
    return Math.min(this.cores, this.#allowedCores);
  }

  async #compute(running: Running): Promise<void> {
    const { held, abort, suspend } = running;
    const { taskId } = held.task;
    const { events, store, runner } = this.components;
    try {
      await store.saveTask(held);
      const description = { taskId, jobName: held.job.name, app: appOf(held) };
      events.emit('task-started', description);
      const result =
        held.starts > MAX_STARTS
          ? infrastructureResult(`the host went down ${MAX_STARTS} times while it computed this task`)
          : await runner.run(held, {
              signal: abort.signal,
              suspend: suspend.signal,
              onProgress: ({ permille, cycles }) => {
                running.permille = permille;
                running.cycles = cycles;
                events.emit('task-progress', { taskId, permille, cycles });
              },
            });
      abort.signal.throwIfAborted();
      await this.#keepResult(held, reportOf(taskId, held.job.app.runtimeVersion, result));
      this.#finishedTasks += 1;
      this.#cycles += result.cycles;
      if (result.outcome !== 'infrastructure') {
        this.#meanTaskMs = updatedMeanTaskMs(this.#meanTaskMs, Date.now() - running.startedAt.getTime());
      }
      const { outcome, cycles, wallMs, message } = result;
      const resumedCycles = result.resumedCycles ?? null;
      events.emit('task-finished', { ...description, outcome, cycles, wallMs, resumedCycles, message });
    } catch (error) {
      await this.#computeFailed(running, error);
    } finally {
      this.#running.delete(taskId);
      this.#prefetched.delete(taskId);
      this.startTasks();
      this.components.changed();
    }
  }

  async #keepResult(held: HeldTask, { report, outputsToKeep }: ReturnType<typeof reportOf>): Promise<void> {
    const result: HeldResult = {
      report,
      jobName: held.job.name,
      app: appOf(held),
      keptOutputs: outputsToKeep.map(({ name }) => name),
    };
    await this.components.store.saveResult(result, outputsToKeep);
    this.unreported.add(result);
  }

  async #computeFailed({ held, abort }: Running, error: unknown): Promise<void> {
    const { taskId } = held.task;
    const { events, store } = this.components;
    if (error instanceof TaskSuspended) {
      // This start did not take the host down.
      await store.saveTask({ ...held, starts: held.starts - 1 });
      events.emit('task-suspended', { taskId });
    } else if (abort.signal.reason instanceof TaskDropped) {
      await store.dropTask(taskId);
      events.emit('task-dropped', { taskId, reason: abort.signal.reason.message });
    } else if (!abort.signal.aborted) {
      // Such as a full disk: the result cannot be kept, so it is told from memory, without its outputs.
      const reason = sentenceOf(error);
      const { report } = reportOf(taskId, held.job.app.runtimeVersion, infrastructureResult(reason));
      const result: HeldResult = { report, jobName: held.job.name, app: appOf(held), keptOutputs: [] };
      this.unreported.add(result);
      events.emit('task-dropped', { taskId, reason });
    }
  }

  async #dropWaiting(held: HeldTask, reason: string): Promise<void> {
    this.#prefetched.delete(held.task.taskId);
    await this.components.store.dropTask(held.task.taskId);
    this.components.events.emit('task-dropped', { taskId: held.task.taskId, reason });
  }

  async #retainHeld(): Promise<void> {
    await this.components.runner.retain(this.heartbeat.map(({ taskId }) => taskId));
  }

  #holds(taskId: string): boolean {
    return (
      this.#running.has(taskId) ||
      this.unreported.has(taskId) ||
      this.#waiting.some((held) => held.task.taskId === taskId)
    );
  }
}

async function withinMs(promise: Promise<unknown>, timeMs: number): Promise<void> {
  const { promise: timeIsUp, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeMs);
  await Promise.race([promise, timeIsUp]);
  clearTimeout(timer);
}

function appOf({ job }: HeldTask): string {
  return `${job.app.name}@${job.app.version}`;
}
