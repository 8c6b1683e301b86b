import type { OutputWanted } from '@gleaner/protocol';
import type { CoordinatorClient } from './coordinator-client.js';
import { Deadline } from './deadline.js';
import type { Emitter } from './emitter.js';
import type { TaskStore } from './held-task.js';
import { sentenceOf } from './sentence-of.js';
import type { WorkerEvents } from './worker-events.js';

export interface OutputUploadsComponents {
  readonly client: CoordinatorClient;
  readonly store: TaskStore;
  readonly events: Emitter<WorkerEvents>;
}

/** Uploads large outputs in the background when the coordinator asks for them, each once at a time. */
export class OutputUploads {
  readonly #running = new Set<string>();

  constructor(
    private readonly components: OutputUploadsComponents,
    private readonly signal: AbortSignal,
  ) {}

  /** Begins what is wanted and not under way. A failed upload is asked for again, or another host is. */
  begin(wanted: readonly OutputWanted[]): void {
    for (const output of wanted) {
      const key = `${output.taskId}/${output.name}`;
      if (this.#running.has(key)) continue;
      this.#running.add(key);
      this.#upload(output)
        .catch((error: unknown) => {
          // Whoever stops the worker knows that uploads end with it.
          if (this.signal.aborted) return;
          const message = `output ${key}: ${sentenceOf(error)}`;
          this.components.events.emit('call-failed', { message, retryInMs: 0 });
        })
        .finally(() => this.#running.delete(key));
    }
  }

  async #upload({ taskId, name, uploadUrl, withinMs }: OutputWanted): Promise<void> {
    const bytes = await this.components.store.readOutput(taskId, name);
    if (!bytes) return;
    const deadline = new Deadline(this.signal, withinMs);
    try {
      await this.components.client.uploadOutput(uploadUrl, bytes, deadline.signal);
    } finally {
      deadline.end();
    }
    await this.components.store.dropOutput(taskId, name);
  }
}
