import { mkdir, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { aFile } from './chunk-store.fixture.js';
import { ChunkStore } from './chunk-store.js';
import { FlushTimer } from './flush-timer.js';
import { decodeHaveRecord } from './have-file.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-store-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(directory, { recursive: true });
});

/** A store with two files, of each of which one chunk was written; the first one's bitmap cannot be. */
async function aStoreInTrouble() {
  const store = await ChunkStore.open({ directory, quotaBytes: 10_000 });
  const files = [aFile(1, 1, 1000), aFile(1, 2, 1000)];
  for (const { manifestId, manifest, pieces } of files) {
    await store.openFile(manifestId, manifest);
    await store.write(manifestId, 0, pieces[0]!);
  }
  const obstacle = join(directory, `${files[0]!.manifestId}.have.new`);
  await mkdir(obstacle);
  /** What the next run would find of each after a power cut now. */
  const kept = () =>
    Promise.all(
      files.map(async ({ manifestId }) => {
        const record = decodeHaveRecord(await readFile(join(directory, `${manifestId}.have`)));
        return [...(record?.have ?? [])];
      }),
    );
  return { store, kept, mend: () => rmdir(obstacle) };
}

describe('ChunkStore on a disk that takes nothing for a while', () => {
  it('keeps what it can of other files, and the rest later', async () => {
    const { store, kept, mend } = await aStoreInTrouble();
    await expect(store.flush()).rejects.toThrow('EISDIR');
    expect(await kept()).toEqual([[], [0]]);
    await mend();
    await store.flush();
    expect(await kept()).toEqual([[0], [0]]);
    await store.close();
  });

  it('closes every file although one of them fails', async () => {
    const { store, kept } = await aStoreInTrouble();
    await expect(store.close()).rejects.toThrow('EISDIR');
    expect(await kept()).toEqual([[], [0]]);
  });

  it('tries again what could not be flushed, until the store is closed', async () => {
    vi.useFakeTimers();
    let tries = 0;
    const timer = new FlushTimer(() => {
      tries += 1;
      return tries < 3 ? Promise.reject(new Error('ENOSPC')) : Promise.resolve();
    });
    timer.restart();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(tries).toBe(3);
    timer.stop();
  });
});
