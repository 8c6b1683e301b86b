import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aFile, CHUNK, keepAll } from './chunk-store.fixture.js';
import { ChunkStore, StoreFullError } from './chunk-store.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-store-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const aStore = (quotaBytes: number): Promise<ChunkStore> => ChunkStore.open({ directory, quotaBytes });

describe('a full ChunkStore', () => {
  it('says when chunks were evicted, and whether some of the file are left', async () => {
    const [old, kept, wanted] = [aFile(2, 1), aFile(2, 50), aFile(3, 90)];
    const told: string[] = [];
    const name = (id: string) => (id === old.manifestId ? 'old' : 'kept');
    const store = await ChunkStore.open({
      directory,
      quotaBytes: 4 * CHUNK,
      onEvicting: (id) => void told.push(`${name(id)} evicting`),
      onEvicted: (id, isKept) => void told.push(`${name(id)} ${isKept ? 'shrunk' : 'gone'}`),
    });
    for (const { manifestId, manifest, pieces } of [old, kept]) {
      await store.openFile(manifestId, manifest);
      for (const [index, piece] of pieces.entries()) await store.write(manifestId, index, piece);
    }
    using _ = await store.claim(kept.manifestId, kept.manifest, [0]);
    const newest = await store.claim(wanted.manifestId, wanted.manifest, [0, 1, 2]);
    expect(newest.missing).toEqual([0, 1, 2]);
    expect(told).toEqual(['old evicting', 'old gone', 'kept evicting', 'kept shrunk']);
    expect([...(store.file(kept.manifestId)?.have ?? [])]).toEqual([0]);
    await store.close();
  });

  /** Files of one chunk, the first used longest ago, in a store that holds no more; some of them promised. */
  async function aFullStore(count: number, promised: readonly number[]) {
    const files = Array.from({ length: count }, (_, at) => aFile(1, 1 + at));
    const store = await ChunkStore.open({
      directory,
      quotaBytes: count * CHUNK,
      isPromised: (id) => promised.some((at) => files[at]?.manifestId === id),
    });
    for (const { manifestId, manifest, pieces } of files) {
      using _ = await store.claim(manifestId, manifest, [0]);
      await store.write(manifestId, 0, pieces[0]!);
    }
    const claim = async (chunks: number) => {
      const { manifestId, manifest, pieces } = aFile(chunks, 200);
      return store.claim(manifestId, manifest, pieces.keys());
    };
    const left = () => [...files.keys()].filter((at) => store.have(files[at]!.manifestId));
    return { store, claim, left };
  }

  it('keeps what others count on longer than what was used after it, and gives it up for a task', async () => {
    const { store, claim, left } = await aFullStore(8, [0, 1]);
    const some = await claim(6);
    expect(left()).toEqual([0, 1]);
    some[Symbol.dispose]();
    using _ = await claim(8);
    expect(left()).toEqual([]);
    await store.close();
  });

  it('keeps of promises no more than a quarter of what it may hold, the last used ones', async () => {
    const { store, claim, left } = await aFullStore(8, [0, 1, 2, 3]);
    const some = await claim(2);
    expect(left()).toEqual([2, 3, 4, 5, 6, 7]);
    some[Symbol.dispose]();
    using _ = await claim(6);
    expect(left()).toEqual([2, 3]);
    await store.close();
  });

  it('evicts what no task needs, the longest unused first, and tells so before', async () => {
    const [a, b, c] = [aFile(2, 1), aFile(2, 50), aFile(2, 100)];
    const evicted: string[] = [];
    const store = await ChunkStore.open({
      directory,
      quotaBytes: 4 * CHUNK,
      onEvicting: (manifestId) => void evicted.push(manifestId),
    });
    const claimOfA = await keepAll(store, a);
    (await keepAll(store, b))[Symbol.dispose]();
    await store.claim(c.manifestId, c.manifest, [0]);
    expect(evicted).toEqual([b.manifestId]);
    expect(store.usedBytes).toBe(3 * CHUNK);
    await expect(stat(join(directory, `${b.manifestId}.data`))).rejects.toThrow('ENOENT');
    claimOfA[Symbol.dispose]();
    claimOfA[Symbol.dispose]();
    await store.close();
  });

  it('gives back the disk of chunks that no task needs of a file that another task needs', async () => {
    const [big, other] = [aFile(8, 1), aFile(4, 50)];
    const store = await aStore(8 * CHUNK);
    (await keepAll(store, big))[Symbol.dispose]();
    using window = await store.claim(big.manifestId, big.manifest, [2, 3]);
    using _ = await store.claim(other.manifestId, other.manifest, [0, 1, 2, 3]);
    expect([...window.file.have]).toEqual([2, 3]);
    expect(await window.file.read(3)).toEqual(big.pieces[3]);
    const { blocks } = await stat(window.file.dataPath);
    expect(blocks * 512).toBeLessThan(3 * CHUNK);
    await store.write(big.manifestId, 2, big.pieces[2]!);
    await store.close();
    const again = await aStore(8 * CHUNK);
    expect([...(await again.openFile(big.manifestId, big.manifest)).have]).toEqual([2, 3]);
    await again.close();
  });

  it('does not take a file away from a task that is about to claim missing chunks of it', async () => {
    const [other, file] = [aFile(1, 1), aFile(2, 50, 10)];
    const store = await aStore(CHUNK + 10);
    await store.openFile(file.manifestId, file.manifest);
    await store.write(file.manifestId, 0, file.pieces[0]!);
    const claims = [
      store.claim(other.manifestId, other.manifest, [0]),
      store.claim(file.manifestId, file.manifest, [1]),
    ];
    const [, claim] = await Promise.all(claims);
    await store.write(file.manifestId, 1, file.pieces[1]!);
    expect(await claim!.file.read(1)).toEqual(file.pieces[1]);
    expect([...(store.have(file.manifestId) ?? [])]).toEqual([1]);
    expect(store.usedBytes).toBe(CHUNK + 10);
    await store.close();
  });

  it('refuses what does not fit beside the chunks of open tasks, and what is optional beside any', async () => {
    const [a, b] = [aFile(2, 1), aFile(1, 50)];
    const store = await aStore(2 * CHUNK);
    const claim = await keepAll(store, a);
    await expect(store.claim(b.manifestId, b.manifest, [0])).rejects.toThrow(StoreFullError);
    expect(store.usedBytes).toBe(2 * CHUNK);
    claim[Symbol.dispose]();
    const optional = store.claim(b.manifestId, b.manifest, [0], { isOptional: true });
    await expect(optional).rejects.toThrow(StoreFullError);
    expect(store.file(a.manifestId)?.have.size).toBe(2);
    await store.close();
  });
});
