import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DataDirectory } from './data-directory.js';
import { summarise } from './projects/summarise.js';
import { readStatus, StatusWriter } from './status-file.js';

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'gleaner-status-'));
});
afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

it('the log says once that the status is out of date and why, and again when it happens again', async () => {
  const directory = new DataDirectory(path);
  const log = vi.fn();
  const now = { pid: 1, updatedAt: new Date().toISOString(), attachmentsAtMs: null, wishedAtMs: null };
  const writer = new StatusWriter(directory, () => ({ ...now, ...summarise([], false) }), log);
  const obstruct = () => mkdir(join(path, 'status.json', 'in-the-way'), { recursive: true });
  await obstruct();
  await writer.flush();
  await writer.flush();
  const said = ['status-not-written', { reason: expect.stringContaining('is out of date') as string }];
  expect(log.mock.calls).toEqual([said]);
  await rm(join(path, 'status.json'), { recursive: true });
  await writer.flush();
  expect(await readStatus(directory)).toMatchObject({ pid: 1 });
  await rm(join(path, 'status.json'));
  await obstruct();
  await writer.flush();
  expect(log.mock.calls).toEqual([said, said]);
});
