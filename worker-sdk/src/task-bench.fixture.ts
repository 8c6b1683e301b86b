import type { WorkResponse } from '@gleaner/protocol';
import type { UnitResult } from '@gleaner/sandbox/runner';
import type { ComputingTime } from './computing-time.js';
import type { Emitter } from './emitter.js';
import { FileTaskStore } from './file-task-store.js';
import { aHeldTask } from './held-task.fixture.js';
import type { HeldTask } from './held-task.js';
import { infrastructureResult } from './result-report.js';
import { TaskDesk } from './task-desk.js';
import type { TaskRunner, TaskRunOptions } from './task-runner.js';
import type { WorkerEvents } from './worker-events.js';

/** For tests: what came of a task that ended well. */
export const DONE: UnitResult = { ...infrastructureResult(''), outcome: 'ok', message: null, cycles: 7n };

/** For tests: ends each task when the test says so. */
export class Bench implements TaskRunner {
  readonly started: string[] = [];
  readonly fetched: string[] = [];
  readonly leftMs = new Map<string, number>();
  /** Of the time that tasks compute. */
  share = 1;
  /** Tasks that have a snapshot. */
  readonly snapshots = new Set<string>();
  readonly #ends = new Map<string, (result: UnitResult) => void>();
  readonly #computing = new Map<string, ComputingTime | undefined>();

  run(held: HeldTask, { signal, suspend, computing, leftMs }: TaskRunOptions): Promise<UnitResult> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    this.started.push(held.task.taskId);
    this.leftMs.set(held.task.taskId, leftMs);
    this.#computing.set(held.task.taskId, computing);
    computing?.setShare(this.share);
    return new Promise((resolve, reject) => {
      this.#ends.set(held.task.taskId, resolve);
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
      suspend?.addEventListener('abort', () => {
        this.snapshots.add(held.task.taskId);
        reject(suspend.reason as Error);
      });
    });
  }

  end(taskId: string, result: UnitResult = DONE): void {
    this.#ends.get(taskId)?.(result);
  }

  pause(taskId: string): void {
    this.#computing.get(taskId)?.setShare(0);
  }

  prefetch({ task }: HeldTask): Promise<void> {
    this.fetched.push(task.taskId);
    return Promise.resolve();
  }

  kept(taskIds: readonly string[]): Promise<string[]> {
    return Promise.resolve(taskIds.filter((taskId) => this.snapshots.has(taskId)));
  }

  /** Resolves when the task has reached the bench, some turns after the event that tells of its start. */
  async hasStarted(taskId: string): Promise<void> {
    while (!this.started.includes(taskId)) await new Promise((resolve) => setImmediate(resolve));
  }

  allow(): void {}
  retain(taskIds: readonly string[]): Promise<void> {
    for (const taskId of this.snapshots) if (!taskIds.includes(taskId)) this.snapshots.delete(taskId);
    return Promise.resolve();
  }
  async close(): Promise<void> {}
}

/** For tests: a desk that gives its tasks to `bench` and keeps them in `directory`, as an earlier one left them there. */
export async function openDesk(
  setting: { readonly directory: string; readonly bench: Bench; readonly events: Emitter<WorkerEvents> },
  cores: number,
): Promise<TaskDesk> {
  const { bench: runner, events } = setting;
  const store = new FileTaskStore(setting.directory);
  const parts = { store, runner, events, changed: () => undefined };
  const desk = new TaskDesk(parts, { cores, memoryMiB: 16, keepAfterMs: 10_000 });
  await desk.load();
  return desk;
}

/** For tests: what the next event of that name tells. */
export function nextEvent<Name extends keyof WorkerEvents>(
  events: Emitter<WorkerEvents>,
  name: Name,
): Promise<WorkerEvents[Name]> {
  return new Promise((resolve) => {
    const off = events.on(name, (event) => {
      off();
      resolve(event);
    });
  });
}

/** For tests: an answer that gives these tasks. */
export function answerWith(...tasks: HeldTask[]): WorkResponse {
  const [first] = tasks;
  return {
    reports: [],
    jobs: first ? [first.job] : [],
    tasks: tasks.map(({ task }) => task),
    noWork: [],
    outputsWanted: [],
    retryAfterMs: 0,
    heartbeatMs: 1000,
  };
}

/** For tests: a task of an app that computes in steps. */
export function inSteps(taskId: string): HeldTask {
  const held = dueIn(60, taskId);
  return { ...held, job: { ...held.job, app: { ...held.job.app, stepping: true } } };
}

/** For tests: a task that is due in so many minutes. */
export function dueIn(minutes: number, taskId: string): HeldTask {
  const held = aHeldTask(taskId);
  return { ...held, task: { ...held.task, deadlineMs: minutes * 60_000 } };
}
