import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { writeWhole } from '../write-whole.js';

/** One JSON value on disk, readable by its owner alone; what cannot be understood counts as absent. */
export class StateFile<T> {
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    readonly path: string,
    private readonly schema: z.ZodType<T>,
  ) {}

  async read(): Promise<T | undefined> {
    try {
      return this.schema.parse(JSON.parse(await readFile(this.path, 'utf8')));
    } catch {
      // Absent, damaged or of another version: everything kept here can be had anew.
      return undefined;
    }
  }

  /** Replaces the value; readers see the old one or the new one. */
  async write(value: T): Promise<void> {
    const text = JSON.stringify(value);
    const turn = this.#writing.then(() => this.#replace(text));
    this.#writing = turn.catch(() => undefined);
    await turn;
  }

  async #replace(text: string): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    await writeWhole(this.path, text, { isSynced: true });
  }
}
