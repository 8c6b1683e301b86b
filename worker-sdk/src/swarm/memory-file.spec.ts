import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryFile } from './memory-file.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-memory-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('MemoryFile', () => {
  it('keeps what a process has learnt for the next one: whom to meet, and whom not to', async () => {
    const memory = {
      knownPeers: [Uint8Array.of(1, 2, 3)],
      banned: [['12D3KooWliar', 4_000]] as const,
      revoked: [['abcdef', 5_000]] as const,
      revocationsSeen: 17,
      recordSeq: 99,
    };
    expect(await new MemoryFile(directory).read()).toBeUndefined();
    await new MemoryFile(directory).write(memory);
    expect(await new MemoryFile(directory).read()).toMatchObject(memory);
  });

  it('begins anew where the file is damaged, and keeps the newest of too many peers', async () => {
    await writeFile(join(directory, 'memory.json'), '{"v":1,"knownPeers":[');
    expect(await new MemoryFile(directory).read()).toBeUndefined();
    const knownPeers = Array.from({ length: 300 }, (_, at) => Uint8Array.of(at >> 8, at & 255));
    const none = { banned: [], revoked: [], revocationsSeen: 0, recordSeq: 0 };
    await new MemoryFile(directory).write({ knownPeers, ...none });
    const kept = (await new MemoryFile(directory).read())?.knownPeers ?? [];
    expect(kept).toHaveLength(200);
    expect(kept.at(-1)).toEqual(knownPeers.at(-1));
  });
});
