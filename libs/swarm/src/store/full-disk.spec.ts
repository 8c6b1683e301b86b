import { mkdir, mkdtemp, readdir, readFile, readlink, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChunkData } from './chunk-data.js';
import { aFile, CHUNK, keepAll } from './chunk-store.fixture.js';
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

describe('ChunkStore that makes room on a full disk', () => {
  it('gives up a file although its bitmap cannot be written any more', async () => {
    const [old, wanted] = [aFile(1, 1), aFile(1, 2)];
    const store = await ChunkStore.open({ directory, quotaBytes: CHUNK });
    for (const { manifestId, manifest } of [old, wanted]) await store.openFile(manifestId, manifest);
    await store.write(old.manifestId, 0, old.pieces[0]!);
    await mkdir(join(directory, `${old.manifestId}.have.new`));
    using claim = await store.claim(wanted.manifestId, wanted.manifest, [0]);
    expect(claim.missing).toEqual([0]);
    expect(store.usedBytes).toBe(CHUNK);
    const left = await readdir(directory);
    expect(left).not.toContain(`${old.manifestId}.data`);
    expect(left).not.toContain(`${old.manifestId}.have`);
    await store.close();
  });

  it.skipIf(process.platform !== 'linux')('keeps no file open that it could not finish', async () => {
    const [shrinking, wanted] = [aFile(2, 1), aFile(1, 50)];
    const store = await ChunkStore.open({ directory, quotaBytes: 2 * CHUNK });
    (await keepAll(store, shrinking))[Symbol.dispose]();
    await store.openFile(wanted.manifestId, wanted.manifest);
    using _ = await store.claim(shrinking.manifestId, shrinking.manifest, [1]);
    const write = vi.spyOn(ChunkData.prototype, 'write').mockRejectedValueOnce(new Error('ENOSPC'));
    await expect(store.claim(wanted.manifestId, wanted.manifest, [0])).rejects.toThrow('ENOSPC');
    write.mockRestore();
    const open = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    expect(open.filter((path) => path.includes('.data.new'))).toEqual([]);
    await store.close();
  });
});
