import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileTaskStore } from './file-task-store.js';
import { aHeldTask } from './held-task.fixture.js';
import type { HeldResult } from './held-task.js';
import { infrastructureResult, reportOf } from './result-report.js';

let directory: string;
let store: FileTaskStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-store-'));
  store = new FileTaskStore(directory);
  await store.load();
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function aHeldResult(taskId: string): HeldResult {
  const { report } = reportOf(taskId, 'gleaner-1', infrastructureResult('no disk'));
  return { report, jobName: 'one night', app: 'app@1', keptOutputs: [] };
}

describe('FileTaskStore', () => {
  it('finds tasks and results again after a crash', async () => {
    await store.saveTask(aHeldTask('1.0'));
    await store.saveTask(aHeldTask('2.1'));
    await store.saveResult(aHeldResult('2.1'), []);
    const found = await new FileTaskStore(directory).load();
    expect(found.tasks).toEqual([aHeldTask('1.0')]);
    expect(found.results).toEqual([aHeldResult('2.1')]);
  });

  it('trusts the result when a crash left the task beside it', async () => {
    await store.saveResult(aHeldResult('1.0'), []);
    await store.saveTask(aHeldTask('1.0'));
    const found = await new FileTaskStore(directory).load();
    expect(found).toMatchObject({ tasks: [], results: [{ report: { taskId: '1.0' } }] });
    expect(await readdir(join(directory, 'tasks'))).toEqual([]);
  });

  it('leaves out what is damaged or half written, and removes it', async () => {
    await store.saveTask(aHeldTask('1.0'));
    await writeFile(join(directory, 'tasks', '2.0.json'), '{"task":');
    await writeFile(join(directory, 'tasks', '3.0.json.tmp'), 'half');
    const found = await new FileTaskStore(directory).load();
    expect(found.tasks.map(({ task }) => task.taskId)).toEqual(['1.0']);
    // What was half written was never there: that is no damage.
    expect(found.damaged).toEqual([join(directory, 'tasks', '2.0.json')]);
    expect(await readdir(join(directory, 'tasks'))).toEqual(['1.0.json']);
  });

  it('keeps the task of a result that cannot take its place, and says so', async () => {
    await store.saveTask(aHeldTask('1.0'));
    await mkdir(join(directory, 'results', '1.0.json', 'in the way'), { recursive: true });
    await expect(store.saveResult(aHeldResult('1.0'), [])).rejects.toThrow('1.0.json');
    expect(await readdir(join(directory, 'results'))).toEqual(['1.0.json']);
    expect(await readdir(join(directory, 'tasks'))).toEqual(['1.0.json']);
  });

  it('keeps large outputs behind the acknowledged report until they are dropped', async () => {
    const result = { ...aHeldResult('1.0'), keptOutputs: ['map'] };
    await store.saveResult(result, [{ name: 'map', bytes: Buffer.from('large') }]);
    await store.dropResult('1.0', true);
    expect(await (await store.readOutput('1.0', 'map'))?.text()).toBe('large');
    expect((await store.load()).results).toEqual([]);
    await store.dropOutput('1.0', 'map');
    expect(await store.readOutput('1.0', 'map')).toBeUndefined();
    expect(await readdir(join(directory, 'outputs'))).toEqual([]);
  });

  it('lets nobody else read what it keeps', async () => {
    await store.saveTask(aHeldTask('1.0'));
    await store.saveResult(aHeldResult('2.0'), [{ name: 'map', bytes: Buffer.from('large') }]);
    for (const path of await readdir(directory, { recursive: true })) {
      expect([path, (await stat(join(directory, path))).mode & 0o077]).toEqual([path, 0]);
    }
  });
});
