import { openAsBlob } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import {
  heldResult,
  heldTask,
  type HeldResult,
  type HeldTask,
  type OutputToKeep,
  type TaskStore,
} from './held-task.js';
import { writeWhole } from './write-whole.js';

/** Large outputs that nobody asked for are removed after this long: by then the unit has settled elsewhere. */
const OUTPUT_KEPT_MS = 7 * 24 * 3600 * 1000;
/** Large outputs take at most this much of the volunteer's disk; beyond it the oldest go. */
const OUTPUT_KEPT_BYTES = 4 * 1024 ** 3;

/**
 * {@link TaskStore} in a directory: `tasks/ID.json`, `results/ID.json` and `outputs/ID/NAME`.
 *
 * Every file appears whole or not at all. Results are synced to the disk, because they are hours of somebody's
 * computing; tasks are not, because the coordinator gives them out again.
 */
export class FileTaskStore implements TaskStore {
  constructor(private readonly directory: string) {}

  async load(): Promise<{ tasks: HeldTask[]; results: HeldResult[]; damaged: string[] }> {
    for (const name of ['tasks', 'results', 'outputs']) {
      await mkdir(join(this.directory, name), { recursive: true, mode: 0o700 });
    }
    await this.#removeOldOutputs();
    const damaged: string[] = [];
    const results = await readAll(join(this.directory, 'results'), heldResult, damaged);
    const reported = new Set(results.map((result) => result.report.taskId));
    const tasks: HeldTask[] = [];
    for (const task of await readAll(join(this.directory, 'tasks'), heldTask, damaged)) {
      // A crash between the two writes of saveResult leaves both.
      if (reported.has(task.task.taskId)) await this.dropTask(task.task.taskId);
      else tasks.push(task);
    }
    return { tasks, results, damaged };
  }

  async saveTask(task: HeldTask): Promise<void> {
    await writeWhole(this.#file('tasks', task.task.taskId), JSON.stringify(task), { isSynced: false });
  }

  async saveResult(result: HeldResult, outputs: readonly OutputToKeep[]): Promise<void> {
    const { taskId } = result.report;
    if (outputs.length > 0) {
      await this.#removeOldOutputs();
      await mkdir(join(this.directory, 'outputs', taskId), { recursive: true, mode: 0o700 });
      for (const { name, bytes } of outputs) {
        await writeWhole(join(this.directory, 'outputs', taskId, name), bytes, { isSynced: true });
      }
    }
    await writeWhole(this.#file('results', taskId), JSON.stringify(result), { isSynced: true });
    await this.dropTask(taskId);
  }

  async dropTask(taskId: string): Promise<void> {
    await rm(this.#file('tasks', taskId), { force: true });
  }

  async dropResult(taskId: string, keepOutputs: boolean): Promise<void> {
    if (!keepOutputs) await this.#dropOutputs(taskId);
    await rm(this.#file('results', taskId), { force: true });
    // Where the result could not be kept, the task was.
    await this.dropTask(taskId);
  }

  async readOutput(taskId: string, name: string): Promise<Blob | undefined> {
    try {
      return await openAsBlob(join(this.directory, 'outputs', taskId, name));
    } catch {
      // Asked for too late, or never kept: the coordinator turns to another host.
      return undefined;
    }
  }

  async dropOutput(taskId: string, name: string): Promise<void> {
    await rm(join(this.directory, 'outputs', taskId, name), { force: true });
    // Fails while others are left, as it should.
    await rmdir(join(this.directory, 'outputs', taskId)).catch(() => undefined);
  }

  async #dropOutputs(taskId: string): Promise<void> {
    await rm(join(this.directory, 'outputs', taskId), { recursive: true, force: true });
  }

  async #removeOldOutputs(): Promise<void> {
    const kept: Array<{ taskId: string; modifiedAtMs: number; bytes: number }> = [];
    for (const taskId of await readdir(join(this.directory, 'outputs'))) {
      const directory = join(this.directory, 'outputs', taskId);
      try {
        kept.push({ taskId, modifiedAtMs: (await stat(directory)).mtimeMs, bytes: await bytesIn(directory) });
      } catch {
        // Uploaded and dropped while we looked.
      }
    }
    kept.sort((a, b) => b.modifiedAtMs - a.modifiedAtMs);
    let bytes = 0;
    for (const output of kept) {
      bytes += output.bytes;
      const isOld = Date.now() - output.modifiedAtMs > OUTPUT_KEPT_MS;
      if (isOld || bytes > OUTPUT_KEPT_BYTES) await this.#dropOutputs(output.taskId);
    }
  }

  #file(kind: 'tasks' | 'results', taskId: string): string {
    return join(this.directory, kind, `${taskId}.json`);
  }
}

async function bytesIn(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory)) bytes += (await stat(join(directory, name))).size;
  return bytes;
}

async function readAll<T>(directory: string, schema: z.ZodType<T>, damaged: string[]): Promise<T[]> {
  const values: T[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    // What is called otherwise was being written when the machine went down.
    const isWhole = name.endsWith('.json');
    const value = isWhole ? await readOne(path, schema) : undefined;
    if (value === undefined) await rm(path, { force: true, recursive: true });
    else values.push(value);
    if (isWhole && value === undefined) damaged.push(path);
  }
  return values;
}

async function readOne<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    // Damaged, or of another version: the coordinator gives the task out again.
    return undefined;
  }
}
