import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeHaveRecord, type HaveRecord } from './have-file.js';

export interface StoredFile {
  readonly manifestId: string;
  readonly record: HaveRecord;
}

/** What an earlier run has left in the directory, the longest unused first; what nobody can use is removed. */
export async function findStoredFiles(directory: string): Promise<StoredFile[]> {
  const found: Array<StoredFile & { readonly usedAtMs: number }> = [];
  const names = await readdir(directory);
  for (const name of names) {
    const path = join(directory, name);
    const manifestId = /^([0-9a-f]{64})\.have$/.exec(name)?.[1];
    if (manifestId) {
      const record = decodeHaveRecord(await readFile(path));
      const { mtimeMs } = await stat(path);
      if (record) found.push({ manifestId, record, usedAtMs: mtimeMs });
      else await rm(path, { force: true });
    } else if (name.endsWith('.new')) {
      await rm(path, { force: true });
    }
  }
  // Data of which nothing says what they are: a crash came between the two. They would lie there beyond any quota.
  const known = new Set(found.map(({ manifestId }) => `${manifestId}.data`));
  for (const name of names) {
    if (/^[0-9a-f]{64}\.data$/.test(name) && !known.has(name))
      await rm(join(directory, name), { force: true });
  }
  return found.toSorted((a, b) => a.usedAtMs - b.usedAtMs);
}
