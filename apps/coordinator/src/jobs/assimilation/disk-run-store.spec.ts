import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskRunStore } from './disk-run-store.js';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'runs-'));
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const open = (): Promise<DiskRunStore> => DiskRunStore.open(join(parent, 'job-1'), () => Promise.resolve());

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const piece of content) text += Buffer.from(piece).toString();
  return text;
}

describe('runs on the disk', () => {
  it('are read as they were written, and gone once the store is closed', async () => {
    const store = await open();
    const runs = [await store.write(pieces('a\n', 'b\n')), await store.write(pieces('c\n'))];
    expect(await Promise.all(runs.map((run) => textOf(run.read())))).toEqual(['a\nb\n', 'c\n']);
    await store.close();
    expect(await readdir(parent)).toEqual([]);
  });

  it('are never those of whoever has taken the directory over, taking this one for dead', async () => {
    const store = await open();
    const run = await store.write(pieces('all of\n', 'it\n'));
    const other = await open();
    await other.write(pieces('half of\n'));
    await expect(textOf(run.read())).rejects.toThrow('ENOENT');
  });

  it('stay when whoever was taken for dead has ended', async () => {
    const store = await open();
    const other = await open();
    const run = await other.write(pieces('all of\n'));
    await store.close();
    expect(await textOf(run.read())).toBe('all of\n');
    const later = await other.write(pieces('it\n'));
    expect(await textOf(later.read())).toBe('it\n');
    await other.close();
    expect(await readdir(parent)).toEqual([]);
  });
});
