import type { HeldResult, OutputToKeep, TaskStore } from '../held-task.js';

/** Large outputs that wait for the coordinator to ask for them, in bytes; beyond it the oldest go. */
const KEPT_OUTPUT_BYTES = 64 * 1024 * 1024;

/** {@link TaskStore} of a tab: a closed tab has returned its leases, so nothing has to outlive it. */
export class MemoryTaskStore implements TaskStore {
  readonly #outputs = new Map<string, readonly OutputToKeep[]>();

  load(): ReturnType<TaskStore['load']> {
    return Promise.resolve({ tasks: [], results: [], damaged: [] });
  }

  saveTask(): Promise<void> {
    return Promise.resolve();
  }

  saveResult(result: HeldResult, outputs: readonly OutputToKeep[]): Promise<void> {
    if (outputs.length > 0) this.#outputs.set(result.report.taskId, outputs);
    let bytes = [...this.#outputs.values()].flat().reduce((sum, output) => sum + output.bytes.length, 0);
    for (const [taskId, kept] of this.#outputs) {
      if (bytes <= KEPT_OUTPUT_BYTES) break;
      this.#outputs.delete(taskId);
      for (const output of kept) bytes -= output.bytes.length;
    }
    return Promise.resolve();
  }

  dropTask(): Promise<void> {
    return Promise.resolve();
  }

  dropResult(taskId: string, keepOutputs: boolean): Promise<void> {
    if (!keepOutputs) this.#outputs.delete(taskId);
    return Promise.resolve();
  }

  readOutput(taskId: string, name: string): Promise<Blob | undefined> {
    const output = this.#outputs.get(taskId)?.find((kept) => kept.name === name);
    // A copy: the bytes may lie in memory that is shared, which blobs refuse.
    return Promise.resolve(output && new Blob([Uint8Array.from(output.bytes)]));
  }

  dropOutput(taskId: string, name: string): Promise<void> {
    const kept = (this.#outputs.get(taskId) ?? []).filter((output) => output.name !== name);
    if (kept.length > 0) this.#outputs.set(taskId, kept);
    else this.#outputs.delete(taskId);
    return Promise.resolve();
  }
}
