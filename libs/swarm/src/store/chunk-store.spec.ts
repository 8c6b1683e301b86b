import { createHash } from 'node:crypto';
import { cp, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestBytes, type Manifest } from '@gleaner/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChunkDamagedError, ChunkData } from './chunk-data.js';
import { Bitmap } from '../engine/bitmap.js';
import { ChunkStore, StoreFullError, type ChunkClaim } from './chunk-store.js';

const CHUNK = 256 * 1024;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-store-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

function aFile(chunks: number, fill: number, lastBytes = CHUNK) {
  const pieces = Array.from({ length: chunks }, (_, index) =>
    new Uint8Array(index === chunks - 1 ? lastBytes : CHUNK).fill(fill + index),
  );
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const hashes = pieces.map((piece) => createHash('sha256').update(piece).digest('hex'));
  const manifest: Manifest = { v: 1, alg: 'sha256', size, chunk: CHUNK, hashes };
  const manifestId = createHash('sha256').update(manifestBytes(manifest)).digest('hex');
  return { pieces, manifest, manifestId };
}

async function damage(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Uint8Array.of(255), 0, 1, at);
  await file.close();
}

const aStore = (quotaBytes = 100 * CHUNK): Promise<ChunkStore> => ChunkStore.open({ directory, quotaBytes });

describe('ChunkStore', () => {
  it('keeps chunks, in any order, over a restart', async () => {
    const { manifest, manifestId, pieces } = aFile(3, 1, 1000);
    const store = await aStore();
    const file = await store.openFile(manifestId, manifest);
    await store.write(manifestId, 2, pieces[2]!);
    await store.write(manifestId, 0, pieces[0]!);
    expect(await file.read(2)).toEqual(pieces[2]);
    await store.close();
    await store.close();

    const again = await aStore();
    expect(again.usedBytes).toBe(CHUNK + 1000);
    expect([...(again.have(manifestId) ?? [])]).toEqual([0, 2]);
    expect(again.have('f'.repeat(64))).toBeUndefined();
    const reopened = await again.openFile(manifestId, manifest);
    expect([...reopened.have]).toEqual([0, 2]);
    expect(await reopened.read(0)).toEqual(pieces[0]);
    await expect(reopened.read(1)).rejects.toThrow(RangeError);
    await again.close();
  });

  it('writes a sparse file', async () => {
    const { manifest, manifestId, pieces } = aFile(40, 1);
    const store = await aStore();
    const file = await store.openFile(manifestId, manifest);
    await store.write(manifestId, 39, pieces[39]!);
    await store.flush();
    const { size, blocks } = await stat(file.dataPath);
    expect(size).toBe(40 * CHUNK);
    expect(blocks * 512).toBeLessThan(4 * CHUNK);
    await store.close();
  });

  it('verifies every chunk after a crash and forgets the damaged ones', async () => {
    const { manifest, manifestId, pieces } = aFile(3, 1);
    const store = await aStore();
    await store.openFile(manifestId, manifest);
    for (const [index, piece] of pieces.entries()) await store.write(manifestId, index, piece);
    await store.flush();
    // What a crash leaves: the directory as it is now, never closed.
    const crashed = await mkdtemp(join(tmpdir(), 'gleaner-store-'));
    await cp(directory, crashed, { recursive: true });
    await store.close();
    await damage(join(crashed, `${manifestId}.data`), CHUNK + 5);
    const recovered = await ChunkStore.open({ directory: crashed, quotaBytes: 100 * CHUNK });
    const file = await recovered.openFile(manifestId, manifest);
    await file.rechecked;
    expect([...file.have]).toEqual([0, 2]);
    await recovered.close();
    await rm(crashed, { recursive: true });
  });

  it('reads one file through without keeping the claims of another waiting', async () => {
    const [large, small] = [aFile(40, 1), aFile(1, 90)];
    const store = await aStore();
    await store.openFile(large.manifestId, large.manifest);
    for (const [index, piece] of large.pieces.entries()) await store.write(large.manifestId, index, piece);
    await store.close();

    const again = await aStore();
    for (const file of [large, small]) await again.openFile(file.manifestId, file.manifest);
    const order: string[] = [];
    const claimed = (name: string, file: typeof large) =>
      again
        .claim(file.manifestId, file.manifest, file.pieces.keys())
        .then((claim) => (order.push(name), claim));
    const claims = await Promise.all([claimed('large', large), claimed('small', small)]);
    expect(order).toEqual(['small', 'large']);
    expect(claims.map(({ missing }) => missing)).toEqual([[], [0]]);
    for (const claim of claims) claim[Symbol.dispose]();
    await again.close();
  });

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
    using _ = await claim(6);
    expect(left()).toEqual([2, 3]);
    await store.close();
  });

  it('does not claim what was written after the last flush when it crashes', async () => {
    const { manifest, manifestId, pieces } = aFile(2, 1);
    const store = await aStore();
    await store.openFile(manifestId, manifest);
    await store.write(manifestId, 0, pieces[0]!);
    await store.flush();
    const flushed = await readFile(join(directory, `${manifestId}.have`));
    await store.write(manifestId, 1, pieces[1]!);
    expect(await readFile(join(directory, `${manifestId}.have`))).toEqual(flushed);
    await store.close();
    expect(await readFile(join(directory, `${manifestId}.have`))).not.toEqual(flushed);
  });

  it('notices damage at the first use after an orderly restart', async () => {
    const { manifest, manifestId, pieces } = aFile(1, 1);
    const store = await aStore();
    const { dataPath } = await store.openFile(manifestId, manifest);
    await store.write(manifestId, 0, pieces[0]!);
    await store.close();
    await damage(dataPath, 9);
    const again = await aStore();
    const file = await again.openFile(manifestId, manifest);
    await expect(file.read(0)).rejects.toThrow(ChunkDamagedError);
    expect(file.have.size).toBe(0);
    await again.close();
  });

  it('starts anew when the bitmap file is not one', async () => {
    const { manifest, manifestId } = aFile(2, 1);
    await writeFile(join(directory, `${manifestId}.have`), 'nonsense');
    const store = await aStore();
    expect((await store.openFile(manifestId, manifest)).have.size).toBe(0);
    await store.close();
  });

  it('removes data of which a crash left no record', async () => {
    const { manifest, manifestId, pieces } = aFile(2, 1);
    const crashing = await aStore();
    await crashing.openFile(manifestId, manifest);
    await crashing.write(manifestId, 0, pieces[0]!);
    const crashed = `${directory}-crashed`;
    await cp(directory, crashed, { recursive: true });
    await crashing.close();
    await rm(join(crashed, `${manifestId}.have`), { force: true });
    const store = await ChunkStore.open({ directory: crashed, quotaBytes: 100 * CHUNK });
    expect(await readdir(crashed)).toEqual([]);
    await store.close();
    await rm(crashed, { recursive: true });
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

  it('takes chunks that another process wrote into the data file', async () => {
    const { manifest, manifestId, pieces } = aFile(2, 1);
    const store = await aStore();
    using claim = await store.claim(manifestId, manifest, [0, 1]);
    expect(claim.missing).toEqual([0, 1]);
    const elsewhere = await ChunkData.open(claim.file.dataPath, manifest, new Bitmap(2));
    await elsewhere.write(1, pieces[1]!);
    await elsewhere.close();
    store.markStored(manifestId, 1);
    expect(await claim.file.read(1)).toEqual(pieces[1]);
    expect(store.manifestIds).toEqual([manifestId]);
    await store.close();
    const again = await aStore();
    expect([...(await again.openFile(manifestId, manifest)).have]).toEqual([1]);
    await again.close();
  });

  it('finds a damaged chunk when it is claimed', async () => {
    const file = aFile(2, 1);
    const store = await aStore();
    (await keepAll(store, file))[Symbol.dispose]();
    await store.close();
    await damage(join(directory, `${file.manifestId}.data`), 5);
    const again = await aStore();
    using claim = await again.claim(file.manifestId, file.manifest, [0, 1]);
    expect(claim.missing).toEqual([0]);
    await again.close();
  });
});

async function keepAll(store: ChunkStore, file: ReturnType<typeof aFile>): Promise<ChunkClaim> {
  const claim = await store.claim(file.manifestId, file.manifest, file.pieces.keys());
  for (const [index, piece] of file.pieces.entries()) await store.write(file.manifestId, index, piece);
  return claim;
}
