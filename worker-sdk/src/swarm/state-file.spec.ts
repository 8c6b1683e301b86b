import { mkdir, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { StateFile } from './state-file.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-state-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('keeps a value, and leaves nothing of one that cannot be written, as on a full disk', async () => {
  const file = new StateFile(join(directory, 'state.json'), z.object({ seen: z.number() }));
  // Nothing takes the place of a directory.
  await mkdir(file.path);
  await expect(file.write({ seen: 1 })).rejects.toThrow('EISDIR');
  expect(await readdir(directory)).toEqual(['state.json']);
  await rmdir(file.path);
  await file.write({ seen: 2 });
  expect(await file.read()).toEqual({ seen: 2 });
  expect(await readdir(directory)).toEqual(['state.json']);
});
