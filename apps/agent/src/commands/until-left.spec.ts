import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Attachment } from '../attachments.js';
import { DataDirectory } from '../data-directory.js';
import { DirectoryLock } from '../directory-lock.js';
import { summarise } from '../projects/summarise.js';
import { untilLeft } from './until-left.js';

let directory: DataDirectory;
let lock: DirectoryLock;
beforeEach(async () => {
  directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'gleaner-left-')));
  lock = DirectoryLock.acquire(directory);
});
afterEach(async () => {
  lock[Symbol.dispose]();
  await rm(directory.path, { recursive: true, force: true });
});

const NEVER = new AbortController().signal;
const attachment = { coordinator: 'https://gleaner.example/', directory: '.' } as Attachment;

/** The agent says that it works for no project, by the attachments of that moment. */
async function agentSays(attachmentsAtMs: number | null): Promise<void> {
  const status = { pid: 1, updatedAt: new Date().toISOString(), ...summarise([], false), attachmentsAtMs };
  await directory.writeWhole('status.json', JSON.stringify(status));
}

it.each([
  ['before the project was attached', 10, 30],
  ['while it was attached, and it was just being opened', 20, 30],
  ['while it was the only one', 20, null],
])(
  'an agent that knows the attachments as they were %s may still begin to use it',
  async (_when, knownAtMs, leftAtMs) => {
    await agentSays(knownAtMs);
    let hasLooked = false;
    const left = untilLeft(directory, { attachment, listedAtMs: 20, leftAtMs }, NEVER).then(() => hasLooked);
    // An impatient look would have ended by then.
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    hasLooked = true;
    await agentSays(leftAtMs);
    expect(await left).toBe(true);
  },
);

it('nobody uses it where no agent runs', async () => {
  lock[Symbol.dispose]();
  await untilLeft(directory, { attachment, listedAtMs: 20, leftAtMs: 30 }, NEVER);
  expect(DirectoryLock.tryAcquire(directory)?.[Symbol.dispose]()).toBeUndefined();
});
