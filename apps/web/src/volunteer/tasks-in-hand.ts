import type { VolunteerWorker } from '@gleaner/worker-sdk/browser';
import { PictureOfTask } from './picture-of-task';

/** What the unfinished tasks of a worker have told of themselves. */
export class TasksInHand {
  readonly #cyclesOfTasks = new Map<string, bigint>();
  readonly #picture = new PictureOfTask();

  /** @param changed called whenever something here may be another */
  constructor(worker: Pick<VolunteerWorker, 'on'>, changed: () => void) {
    worker.on('task-progress', ({ taskId, cycles }) => {
      this.#picture.progress();
      if (cycles !== null) this.#cyclesOfTasks.set(taskId, cycles);
      changed();
    });
    const hasEnded = ({ taskId }: { readonly taskId: string }): void => {
      this.#picture.finished(taskId);
      this.#cyclesOfTasks.delete(taskId);
      changed();
    };
    worker.on('task-finished', hasEnded);
    // Nobody wants its result any more, such as of a cancelled job: another task has its place.
    worker.on('task-dropped', hasEnded);
  }

  /** Executed instructions, as far as they have told. */
  get cycles(): bigint {
    return [...this.#cyclesOfTasks.values()].reduce((sum, cycles) => sum + cycles, 0n);
  }

  /** What is computed shows no picture. */
  get isBlank(): boolean {
    return this.#picture.isBlank;
  }

  /** @returns whether a picture of this task belongs to what is shown */
  isShown(taskId: string): boolean {
    return this.#picture.frame(taskId);
  }
}
