import type { HeldTask } from './held-task.js';
import type { TaskRunner } from './task-runner.js';

/** Fetches modules and inputs of tasks that wait, one task at a time, so that the next one can start at once. */
export class Prefetcher {
  readonly #ending = new AbortController();
  #isBusy = false;
  /** Tasks that were fetched for or tried, as long as they are held. */
  readonly #tried = new Set<string>();

  /** @param next the tasks that are next in line, the first one first */
  constructor(
    private readonly runner: TaskRunner,
    private readonly next: () => readonly HeldTask[],
  ) {}

  /** Tasks that are remembered. */
  get size(): number {
    return this.#tried.size;
  }

  /** Who is next in line may have changed. Never rejects. */
  async follow(): Promise<void> {
    if (this.#isBusy || !this.runner.prefetch) return;
    this.#isBusy = true;
    const { signal } = this.#ending;
    for (let task = this.#untried(); task && !signal.aborted; task = this.#untried()) {
      this.#tried.add(task.task.taskId);
      // The computation itself tells what is wrong, when it is tried again.
      await this.runner.prefetch(task, signal).catch(() => undefined);
    }
    this.#isBusy = false;
  }

  /** The task is held no longer. */
  forget(taskId: string): void {
    this.#tried.delete(taskId);
  }

  /** Fetches nothing more. */
  end(): void {
    this.#ending.abort();
  }

  #untried(): HeldTask | undefined {
    return this.next().find(({ task }) => !this.#tried.has(task.taskId));
  }
}
