import type { VolunteerWorker, WorkerEvents } from '@gleaner/worker-sdk/browser';
import { expect, it } from 'vitest';
import { TasksInHand } from './tasks-in-hand';

/** Tells what the test says. */
class Events implements Pick<VolunteerWorker, 'on'> {
  readonly #listeners = new Map<string, (event: never) => void>();

  on<Name extends keyof WorkerEvents>(
    name: Name,
    listener: (event: WorkerEvents[Name]) => void,
  ): () => boolean {
    this.#listeners.set(name, listener);
    return () => this.#listeners.delete(name);
  }

  emit<Name extends keyof WorkerEvents>(name: Name, event: WorkerEvents[Name]): void {
    // What is under `name` listens to that event, by `on`.
    (this.#listeners.get(name) as ((event: WorkerEvents[Name]) => void) | undefined)?.(event);
  }
}

const computed = (taskId: string) => ({
  taskId,
  jobName: 'one night',
  app: 'app@1',
  outcome: 'ok' as const,
  cycles: 9n,
  wallMs: 1,
  resumedCycles: null,
  message: null,
});

it.each([
  ['finished', (worker: Events) => worker.emit('task-finished', computed('1.0'))],
  ['given up', (worker: Events) => worker.emit('task-dropped', { taskId: '1.0', reason: 'cancelled' })],
])('shows the next task, and counts its cycles alone, once one is %s', (_how, end) => {
  const worker = new Events();
  let changes = 0;
  const tasks = new TasksInHand(worker, () => (changes += 1));
  worker.emit('task-progress', { taskId: '1.0', permille: 500, cycles: 5n });
  worker.emit('task-progress', { taskId: '2.0', permille: 500, cycles: 7n });
  expect(tasks.isShown('1.0')).toBe(true);
  expect(tasks.isShown('2.0')).toBe(false);
  expect(tasks.cycles).toBe(12n);
  end(worker);
  expect(tasks.isShown('2.0')).toBe(true);
  expect(tasks.cycles).toBe(7n);
  expect(changes).toBe(3);
});
