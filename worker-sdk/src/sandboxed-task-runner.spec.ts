import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { queryObjects } from 'node:v8';
import { admitModule } from '@gleaner/sandbox/admission';
import { ContentCache, HttpOriginSource, SourceSupply } from '@gleaner/swarm';
import { ChunkStore } from '@gleaner/swarm/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aHeldTask } from './held-task.fixture.js';
import type { HeldTask } from './held-task.js';
import { SandboxPool } from './sandbox-pool.js';
import { SandboxedTaskRunner } from './sandboxed-task-runner.js';

const DAY_MS = 24 * 3600 * 1000;
const RUNTIME_VERSION = 'gleaner-1';
const MODULE = admitted(
  // (module (memory (export "memory") 1) (func (export "_start")))
  '0061736d01000000010401600000030201000503010001071302066d656d6f72790200065f737461727400000a040102000b',
);

let directory: string;
let snapshots: string;
let store: ChunkStore;
let runner: SandboxedTaskRunner;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-runner-'));
  snapshots = await mkdtemp(join(directory, 'snapshots-'));
  const cache = await ContentCache.open({ directory: join(directory, 'cache'), quotaBytes: 1024 * 1024 });
  (await cache.put(MODULE.sha256, MODULE.bytes)).release();
  store = await ChunkStore.open({ directory: join(directory, 'chunks'), quotaBytes: 0 });
  const source = new HttpOriginSource({
    baseUrl: new URL('http://127.0.0.1:9'),
    credentials: () => ({}),
    retryDelayMs: () => 0,
  });
  const sandboxes = new SandboxPool({ readableDirectories: [directory], checkpointDirectory: snapshots });
  runner = new SandboxedTaskRunner(
    { cache, store, supply: new SourceSupply(source, store), source, sandboxes },
    { runtimeVersions: [RUNTIME_VERSION], checkpointDirectory: snapshots },
  );
});
afterEach(async () => {
  await runner.close();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

function admitted(hex: string): { readonly bytes: Uint8Array; readonly sha256: string } {
  const admission = admitModule(Buffer.from(hex, 'hex'));
  if (!admission.admitted) throw new Error(`not admitted: ${JSON.stringify(admission.errors)}`);
  const bytes = admission.module;
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function aTask(taskId: string): HeldTask {
  const held = aHeldTask(taskId);
  return { ...held, job: { ...held.job, app: { ...held.job.app, moduleSha256: MODULE.sha256 } } };
}

describe('SandboxedTaskRunner', () => {
  it('leaves nothing behind of tasks that end long before their deadline', async () => {
    const run = async (count: number): Promise<void> => {
      for (let number = 1; number <= count; number += 1) {
        const { signal } = new AbortController();
        const result = await runner.run(aTask(`${number}.0`), { signal, leftMs: DAY_MS });
        expect(result).toMatchObject({ outcome: 'ok' });
      }
    };
    await run(5);
    const before = queryObjects(AbortSignal, { format: 'count' });
    await run(100);
    // A few may be in somebody's hands still.
    await expect.poll(() => queryObjects(AbortSignal, { format: 'count' }) - before).toBeLessThan(10);
  });

  it('forgets snapshots of other tasks, and leaves one alone that is being written', async () => {
    for (const name of ['1.0.snapshot', '1.0.snapshot.part', '2.0.snapshot', '2.0.snapshot.part'])
      await writeFile(join(snapshots, name), '');
    await runner.retain(['1.0']);
    expect((await readdir(snapshots)).sort()).toEqual(['1.0.snapshot', '1.0.snapshot.part']);
  });
});
