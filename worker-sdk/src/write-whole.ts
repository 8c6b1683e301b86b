import { open, rename, rm } from 'node:fs/promises';

export interface WriteWholeOptions {
  /** Whether it has to survive a power cut once this has resolved. */
  readonly isSynced: boolean;
  /** What is written before it takes the file's place; `PATH.tmp` when left out, so that one file is written by one at a time. */
  readonly temporary?: string;
}

/**
 * Replaces a file, readable by its owner alone: a reader and a crash see the old content or the new one.
 *
 * @throws {Error} of the file system, such as `ENOSPC`; the old content is there then, and nothing of the new one
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  { isSynced, temporary = `${path}.tmp` }: WriteWholeOptions,
): Promise<void> {
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(content);
      if (isSynced) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // On a full disk, what was begun takes up the room that others need.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}
