import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aFile, CHUNK, keepAll } from './chunk-store.fixture.js';
import { ChunkStore } from './chunk-store.js';

const FILES = 150;
/** One more than are left open: the last was held when that was looked at. */
const MOST_OPEN = 129;

let directory: string;
let store: ChunkStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-store-'));
  store = await ChunkStore.open({ directory, quotaBytes: FILES * CHUNK });
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const files = Array.from({ length: FILES }, (_, n) => aFile(1, 1, n + 1));
const isOpen = ({ manifestId }: { manifestId: string }): boolean => store.file(manifestId) !== undefined;

describe('files that no open task needs', () => {
  it('are closed when there are many, those that were used longest ago, and keep what they hold', async () => {
    for (const file of files) (await keepAll(store, file))[Symbol.dispose]();
    expect(files.filter(isOpen)).toEqual(files.slice(-MOST_OPEN));
    expect(store.usedBytes).toBe((FILES * (FILES + 1)) / 2);
    expect(new Set(store.manifestIds)).toEqual(new Set(files.map(({ manifestId }) => manifestId)));
    const [first] = files;
    expect([...(store.have(first!.manifestId) ?? [])]).toEqual([0]);
    using claim = await store.claim(first!.manifestId, first!.manifest, [0]);
    expect(claim.missing).toEqual([]);
    expect(await claim.file.read(0)).toEqual(first!.pieces[0]);
  });

  it('are not those that a task holds, however long ago it came', async () => {
    const [held, ...others] = files;
    using claim = await keepAll(store, held!);
    for (const file of others) (await keepAll(store, file))[Symbol.dispose]();
    expect(await claim.file.read(0)).toEqual(held!.pieces[0]);
    expect(files.filter(isOpen)).toHaveLength(1 + MOST_OPEN);
  });
});
