import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CacheFullError, ContentCache } from './content-cache.js';
import { sha256Hex } from './sha256.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-cache-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** 100 bytes that only this seed has. */
function content(seed: number): { sha256: string; bytes: Uint8Array } {
  const bytes = new Uint8Array(100).fill(seed);
  return { sha256: sha256Hex(bytes), bytes };
}

async function putReleased(cache: ContentCache, seed: number): Promise<void> {
  const { sha256, bytes } = content(seed);
  (await cache.put(sha256, bytes)).release();
}

async function has(cache: ContentCache, seed: number): Promise<boolean> {
  using pinned = await cache.pin(content(seed).sha256);
  return pinned !== undefined;
}

describe('ContentCache', () => {
  it('keeps files across restarts', async () => {
    await putReleased(await ContentCache.open({ directory, quotaBytes: 1000 }), 1);
    const reopened = await ContentCache.open({ directory, quotaBytes: 1000 });
    using pinned = await reopened.pin(content(1).sha256);
    expect(pinned && new Uint8Array(await readFile(pinned.path))).toEqual(content(1).bytes);
    expect(reopened.usedBytes).toBe(100);
  });

  it.each([
    ['removed', () => rm(directory, { recursive: true })],
    ['cut short', () => truncate(join(directory, content(1).sha256), 99)],
  ])('does not count on a file that was %s while it is open, and stores it anew', async (_what, change) => {
    const cache = await ContentCache.open({ directory, quotaBytes: 1000 });
    await putReleased(cache, 1);
    await change();
    expect(await has(cache, 1)).toBe(false);
    await putReleased(cache, 1);
    expect(await has(cache, 1)).toBe(true);
    expect(cache.usedBytes).toBe(100);
  });

  it('evicts what was used least recently to stay within its quota', async () => {
    const cache = await ContentCache.open({ directory, quotaBytes: 300 });
    for (const seed of [1, 2, 3]) await putReleased(cache, seed);
    expect(await has(cache, 1)).toBe(true);
    await putReleased(cache, 4);
    expect([await has(cache, 1), await has(cache, 2), await has(cache, 3)]).toEqual([true, false, true]);
    expect(cache.usedBytes).toBe(300);
    expect(await readdir(directory)).toHaveLength(3);
  });

  it('never evicts what an open task needs, and says so when nothing fits', async () => {
    const cache = await ContentCache.open({ directory, quotaBytes: 250 });
    const pins = [
      await cache.put(content(1).sha256, content(1).bytes),
      await cache.put(content(2).sha256, content(2).bytes),
    ];
    await expect(cache.put(content(3).sha256, content(3).bytes)).rejects.toThrow(CacheFullError);
    pins[0]?.release();
    await putReleased(cache, 3);
    expect([await has(cache, 1), await has(cache, 2), await has(cache, 3)]).toEqual([false, true, true]);
  });

  it('stays within its quota when many write at the same time', async () => {
    const cache = await ContentCache.open({ directory, quotaBytes: 500 });
    await Promise.all(Array.from({ length: 40 }, (_, seed) => putReleased(cache, seed % 20)));
    expect(cache.usedBytes).toBeLessThanOrEqual(500);
    const files = await readdir(directory);
    expect(files.length * 100).toBe(cache.usedBytes);
  });

  it('counts what it is given twice once, and lets go of it when both have', async () => {
    const cache = await ContentCache.open({ directory, quotaBytes: 100 });
    const { sha256, bytes } = content(1);
    const pins = [await cache.put(sha256, bytes), await cache.put(sha256, bytes)];
    expect(cache.usedBytes).toBe(100);
    pins[0]?.release();
    await expect(cache.put(content(2).sha256, content(2).bytes)).rejects.toThrow(CacheFullError);
    pins[1]?.release();
    await putReleased(cache, 2);
    expect([await has(cache, 1), await has(cache, 2)]).toEqual([false, true]);
  });

  it('finds a file that was damaged on disk, and takes it anew', async () => {
    await putReleased(await ContentCache.open({ directory, quotaBytes: 1000 }), 1);
    await truncate(join(directory, content(1).sha256), 50);
    const reopened = await ContentCache.open({ directory, quotaBytes: 1000 });
    expect(await has(reopened, 1)).toBe(false);
    await putReleased(reopened, 1);
    expect(await has(reopened, 1)).toBe(true);
  });

  it('removes what a crash left half written', async () => {
    await writeFile(join(directory, 'tmp-1-1'), 'half');
    await ContentCache.open({ directory, quotaBytes: 1000 });
    expect(await readdir(directory)).toEqual([]);
  });
});
