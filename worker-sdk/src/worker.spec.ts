import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AnsweredWorker, HEARTBEAT_ANSWER, NO_WORK } from './answered-worker.fixture.js';
import { FileTaskStore } from './file-task-store.js';
import { aHeldResult, aHeldTask } from './held-task.fixture.js';
import type { HeldTask } from './held-task.js';

const HOUR_MS = 3_600_000;
const STOPPED = { phase: 'stopped', reason: 'stopped' };

let host: AnsweredWorker;
beforeEach(async () => {
  host = await AnsweredWorker.open();
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
});

describe('a worker that is told to stop', () => {
  let reason = 'not stopped';
  let stopped: Promise<Error | null>;
  beforeEach(() => {
    stopped = new Promise((resolve) => {
      host.worker.on('stopped', (event) => {
        reason = event.reason;
        resolve(event.error);
      });
    });
  });

  it('before it was started ends, tells the coordinator nothing and starts no more', async () => {
    let calls = 0;
    host.answer = () => {
      calls += 1;
    };
    await host.worker.stop();
    expect(await stopped).toBeNull();
    await host.worker.start();
    expect(host.worker.status()).toMatchObject({ phase: 'stopped', reason: 'stopped' });
    expect(calls).toBe(0);
  });

  it('while it starts ends, and returns what it was just reading from the disk', async () => {
    const heartbeats: unknown[] = [];
    host.answer = (request, response) => {
      void json(request).then((body) => {
        if (request.url === '/v1/heartbeat') heartbeats.push(body);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ tasks: [], outputsWanted: [], nextMs: 1000 }));
      });
    };
    const held = aHeldTask('1.0');
    const store = new FileTaskStore(host.directory);
    await store.load();
    await store.saveTask(held);
    const starting = host.worker.start();
    await host.worker.stop();
    await starting;
    expect(await stopped).toBeNull();
    expect(heartbeats).toEqual([
      { running: [], returned: [held.task.taskId], leaving: true, state: STOPPED },
    ]);
  });

  it('while it takes tasks from an answer returns these as well', async () => {
    const taken = Promise.withResolvers<void>();
    const onDisk = Promise.withResolvers<void>();
    class SlowStore extends FileTaskStore {
      override async saveTask(held: HeldTask): Promise<void> {
        taken.resolve();
        await onDisk.promise;
        await super.saveTask(held);
      }
    }
    const store = new SlowStore(host.directory);
    host.worker = host.workerWith(store);
    const heartbeats: unknown[] = [];
    const { task, job } = aHeldTask('1.0');
    host.answer = (request, response) => {
      void json(request).then((body) => {
        if (request.url === '/v1/heartbeat') heartbeats.push(body);
        const isHeartbeat = request.url === '/v1/heartbeat';
        const said = isHeartbeat ? HEARTBEAT_ANSWER : { ...NO_WORK, jobs: [job], tasks: [task] };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
      });
    };
    await host.worker.start();
    await taken.promise;
    const stopping = host.worker.stop();
    // Whatever an impatient end would do comes before the disk is done.
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    onDisk.resolve();
    await stopping;
    expect(heartbeats).toEqual([{ running: [], returned: ['1.0'], leaving: true, state: STOPPED }]);
    expect((await store.load()).tasks).toEqual([]);
  });

  it('while it uploads an output says nothing of that', async () => {
    const failures: string[] = [];
    host.worker.on('call-failed', ({ message }) => failures.push(message));
    const store = new FileTaskStore(host.directory);
    await store.load();
    const result = { ...aHeldResult('1.0'), keptOutputs: ['stdout'] };
    await store.saveResult(result, [{ name: 'stdout', bytes: Buffer.from('large') }]);
    const uploading = Promise.withResolvers<void>();
    host.answer = (request, response) => {
      // An upload that is never answered.
      if (request.method === 'PUT') {
        uploading.resolve();
        return;
      }
      const outputsWanted = [{ taskId: '1.0', name: 'stdout', uploadUrl: '/upload', withinMs: HOUR_MS }];
      const said =
        request.url === '/v1/heartbeat'
          ? HEARTBEAT_ANSWER
          : { ...NO_WORK, reports: [{ taskId: '1.0', status: 'accepted' }], outputsWanted };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    };
    await host.worker.start();
    await uploading.promise;
    await host.worker.stop();
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([]);
  });

  it('while a part of it cannot be closed ends nevertheless, and says why', async () => {
    host.runner.close = () => Promise.reject(new Error('the disk is gone'));
    await host.worker.start();
    await host.worker.stop();
    expect((await stopped)?.message).toBe('the disk is gone');
    expect(reason).toBe('the disk is gone');
  });

  it('while computing is not allowed ends', async () => {
    host.worker.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: 'paused' });
    await host.worker.start();
    expect(host.worker.status().phase).toBe('paused');
    await host.worker.stop();
    expect(await stopped).toBeNull();
  });
});
