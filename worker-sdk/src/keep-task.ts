import type { Emitter } from './emitter.js';
import type { HeldTask, TaskStore } from './held-task.js';
import { sentenceOf } from './sentence-of.js';
import type { WorkerEvents } from './worker-events.js';

export interface KeepTaskComponents {
  readonly store: TaskStore;
  readonly events: Emitter<WorkerEvents>;
}

/**
 * Keeps a task for the next run. Where the disk takes nothing, it is computed all the same: only a crash would lose it, and
 * then the coordinator gives it out again.
 */
export async function keepTask({ store, events }: KeepTaskComponents, held: HeldTask): Promise<void> {
  try {
    await store.saveTask(held);
  } catch (error) {
    events.emit('not-kept', { taskId: held.task.taskId, reason: sentenceOf(error) });
  }
}

/** Forgets a task. What cannot be removed is dropped by the next run, which hears that nobody wants it. */
export async function forgetTask(store: TaskStore, taskId: string): Promise<void> {
  await store.dropTask(taskId).catch(() => undefined);
}
