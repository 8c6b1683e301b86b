import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DataDirectory } from './data-directory.js';

/** Above what Linux, macOS and Windows give. */
const NOBODYS_PID = 2 ** 30;

let directory: DataDirectory;
beforeEach(async () => {
  directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'gleaner-data-')));
});
afterEach(() => rm(directory.path, { recursive: true, force: true }));

describe('what a process was writing', () => {
  it('goes once the process is gone, and nothing else does', async () => {
    const kept = ['status.json', `control.json.${process.pid}.tmp`, 'a.tmp', 'tasks'];
    for (const name of [...kept, `status.json.${NOBODYS_PID}.tmp`]) await writeFile(directory.file(name), '');
    await directory.removeHalfWritten();
    expect((await readdir(directory.path)).sort()).toEqual(kept.sort());
  });
});
