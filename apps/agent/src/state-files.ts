import { readFileSync, renameSync } from 'node:fs';
import type { z } from 'zod';
import type { LogEvent } from './agent-log.js';
import type { DataDirectory } from './data-directory.js';

export interface StateFile<T> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
  /** What the volunteer loses with it, and what happens now. */
  readonly withoutIt: string;
}

/**
 * What an earlier run kept that can be done without: null where there is none. One that cannot be understood is put aside
 * for whoever knows how to mend it, and that is told.
 */
export function readStateFile<T>(directory: DataDirectory, file: StateFile<T>, log: LogEvent): T | null {
  const path = directory.file(file.name);
  try {
    return file.schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    const { name, withoutIt } = file;
    log('state-damaged', { file: path, keptAs: putAside(directory, name), reason: withoutIt });
    return null;
  }
}

/** Name of the file now; null where it cannot be moved, such as on a disk that only reads. */
function putAside(directory: DataDirectory, name: string): string | null {
  try {
    renameSync(directory.file(name), directory.file(`${name}.damaged`));
    return `${name}.damaged`;
  } catch {
    return null;
  }
}
