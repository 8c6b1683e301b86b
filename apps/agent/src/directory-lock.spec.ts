import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataDirectory } from './data-directory.js';
import { DirectoryLock } from './directory-lock.js';

/** What happens between emptying a damaged file and taking it. */
let onceEmptied: (() => void) | undefined;
vi.mock(import('node:fs'), async (original) => {
  const fs = await original();
  return {
    ...fs,
    truncateSync: (...args: Parameters<typeof fs.truncateSync>) => {
      fs.truncateSync(...args);
      onceEmptied?.();
    },
  };
});

let directory: DataDirectory;
beforeEach(async () => {
  directory = new DataDirectory(await mkdtemp(join(tmpdir(), 'gleaner-lock-')));
});
afterEach(async () => {
  onceEmptied = undefined;
  await rm(directory.path, { recursive: true, force: true });
});

describe('the lock of a directory', () => {
  it('is held by one at a time, until it is let go', () => {
    const lock = DirectoryLock.acquire(directory);
    expect(DirectoryLock.isHeld(directory)).toBe(true);
    expect(() => DirectoryLock.acquire(directory)).toThrow('another agent already uses');
    lock[Symbol.dispose]();
    expect(DirectoryLock.isHeld(directory)).toBe(false);
    DirectoryLock.acquire(directory)[Symbol.dispose]();
  });

  it('can be looked at without leaving a trace', async () => {
    expect(DirectoryLock.isHeld(directory)).toBe(false);
    expect(await readdir(directory.path)).toEqual([]);
  });

  it('works although a failing disk has left something in its file', async () => {
    await writeFile(directory.file('agent.lock'), Buffer.alloc(5_000, 'garbage'));
    expect(DirectoryLock.isHeld(directory)).toBe(false);
    using _ = DirectoryLock.acquire(directory);
    expect(DirectoryLock.tryAcquire(directory)).toBeUndefined();
    expect(DirectoryLock.isHeld(directory)).toBe(true);
  });

  it('is refused like any other to who mends its file a moment later than another one', async () => {
    await writeFile(directory.file('agent.lock'), Buffer.alloc(5_000, 'garbage'));
    let faster: DirectoryLock | undefined;
    onceEmptied = () => {
      faster ??= DirectoryLock.acquire(directory);
    };
    expect(DirectoryLock.tryAcquire(directory)).toBeUndefined();
    faster?.[Symbol.dispose]();
    using _ = DirectoryLock.acquire(directory);
  });

  it('that cannot be opened is told with its place and what to look at', async () => {
    await mkdir(directory.file('agent.lock'));
    const message = `${directory.file('agent.lock')} cannot be opened`;
    expect(() => DirectoryLock.acquire(directory)).toThrow(message);
    expect(() => DirectoryLock.isHeld(directory)).toThrow(message);
  });
});
