import type { Emitter } from './emitter.js';
import type { WorkerEvents } from './worker-events.js';

/** What comes and goes is told again no sooner. */
const TOLD_AGAIN_MS = 3_600_000;

/** What somebody has to mend although the work goes on: told when it begins, and shown for as long as it lasts. */
export class Warnings {
  /** Running tasks whose state cannot be kept, and why. */
  readonly #unkept = new Map<string, string>();
  #isUsedTwice = false;
  readonly #toldAtMs = new Map<string, number>();

  constructor(
    private readonly events: Emitter<WorkerEvents>,
    private readonly changed: () => void,
  ) {
    // Its next snapshot, if there is one, tells anew.
    const isOver = ({ taskId }: { readonly taskId: string }): void => {
      if (this.#unkept.delete(taskId)) this.changed();
    };
    for (const name of ['task-continued', 'task-dropped', 'task-finished', 'task-suspended'] as const) {
      events.on(name, isOver);
    }
    events.on('task-snapshots', ({ taskId, trouble }) => {
      if (trouble === null) {
        isOver({ taskId });
        return;
      }
      this.#unkept.set(taskId, trouble);
      this.#tell('snapshots', this.#snapshots);
    });
  }

  /** Sentences for the volunteer; none where all is well. */
  get sentences(): string[] {
    return [this.#usedTwice, this.#snapshots].filter((sentence) => sentence !== null);
  }

  /** @param isUsedTwice whether another agent works as this host at the same time, as the coordinator says */
  hostUsed(isUsedTwice: boolean): void {
    if (isUsedTwice === this.#isUsedTwice) return;
    this.#isUsedTwice = isUsedTwice;
    this.#tell('used-twice', this.#usedTwice);
  }

  get #usedTwice(): string | null {
    if (!this.#isUsedTwice) return null;
    return (
      "another agent works as this host, with a copy of this one's directory, and they may lose tasks to each other: " +
      'stop one of the two, remove attachment.json from its directory, and attach it anew'
    );
  }

  get #snapshots(): string | null {
    const [reason] = this.#unkept.values();
    if (reason === undefined) return null;
    return `the state of running tasks cannot be kept (${reason}): a crash or a restart costs the work since it last could`;
  }

  #tell(about: WorkerEvents['warning']['about'], reason: string | null): void {
    const nowMs = performance.now();
    if (reason !== null && nowMs - (this.#toldAtMs.get(about) ?? -Infinity) >= TOLD_AGAIN_MS) {
      this.#toldAtMs.set(about, nowMs);
      this.events.emit('warning', { about, reason });
    }
    this.changed();
  }
}
