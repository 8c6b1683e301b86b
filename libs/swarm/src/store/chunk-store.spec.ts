import { cp, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChunkDamagedError, ChunkData } from './chunk-data.js';
import { Bitmap } from '../engine/bitmap.js';
import { aFile, CHUNK, keepAll } from './chunk-store.fixture.js';
import { ChunkStore } from './chunk-store.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-store-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

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

describe('ChunkStore whose files somebody else has changed', () => {
  it('gives nobody what is not in a file that was cut short', async () => {
    const { manifest, manifestId, pieces } = aFile(2, 1);
    const store = await aStore();
    const file = await store.openFile(manifestId, manifest);
    for (const [index, piece] of pieces.entries()) await store.write(manifestId, index, piece);
    await truncate(file.dataPath, CHUNK + 10);
    await expect(file.read(1)).rejects.toThrow(ChunkDamagedError);
    expect(await file.read(0)).toEqual(pieces[0]);
    await store.close();
  });

  it.each([
    ['removed', () => rm(directory, { recursive: true })],
    [
      'emptied',
      async () => {
        for (const name of await readdir(directory)) await rm(join(directory, name));
      },
    ],
    [
      'cut short',
      async () => {
        for (const name of await readdir(directory))
          if (name.endsWith('.data')) await truncate(join(directory, name));
      },
    ],
  ])('brings anew what was in a directory that was %s', async (_what, change) => {
    const [file, other] = [aFile(2, 1), aFile(1, 50)];
    const store = await aStore();
    (await keepAll(store, file))[Symbol.dispose]();
    await change();
    using claim = await store.claim(file.manifestId, file.manifest, [0, 1]);
    expect(claim.missing).toEqual([0, 1]);
    for (const [index, piece] of file.pieces.entries()) await store.write(file.manifestId, index, piece);
    expect(await readFile(claim.file.dataPath)).toEqual(Buffer.concat(file.pieces));
    using _ = await store.claim(other.manifestId, other.manifest, [0]);
    await store.close();
  });
});
