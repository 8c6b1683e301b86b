import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { UnitResult } from '@gleaner/sandbox/runner';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { CoordinatorClient } from './coordinator-client.js';
import { FileTaskStore } from './file-task-store.js';
import { aHeldResult, aHeldTask } from './held-task.fixture.js';
import type { HeldTask, TaskStore } from './held-task.js';
import { completePolicy } from './policy.js';
import { infrastructureResult } from './result-report.js';
import type { TaskRunner } from './task-runner.js';
import { Worker } from './worker.js';

const HOUR_MS = 3_600_000;

const NO_WORK = {
  reports: [],
  jobs: [],
  tasks: [],
  noWork: [{ code: 'no-jobs', count: null, message: 'no jobs today' }],
  outputsWanted: [],
  retryAfterMs: 1000,
  heartbeatMs: 1000,
};
const STOPPED = { phase: 'stopped', reason: 'stopped' };
const HEARTBEAT_ANSWER = { tasks: [], outputsWanted: [], nextMs: 1000 };

/** Nothing is ever computed here. */
const idleRunner: TaskRunner = {
  run: (): Promise<UnitResult> => Promise.resolve(infrastructureResult('not expected to run')),
  retain: () => Promise.resolve(),
  allow: () => undefined,
  close: () => Promise.resolve(),
};

let directory: string;
let server: Server;
let answer: RequestListener;
let worker: Worker;
let runner: TaskRunner;
let workerWith: (store: TaskStore) => Worker;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-worker-'));
  server = createServer((request, response) => {
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = new CoordinatorClient({ baseUrl: new URL(`http://127.0.0.1:${port}`), token: 'gln_x' });
  runner = { ...idleRunner };
  workerWith = (store) =>
    new Worker(
      { client, store, runner, random: () => 0 },
      { policy: completePolicy({ cores: 1 }), runtimeVersions: ['gleaner-1'] },
    );
  worker = workerWith(new FileTaskStore(directory));
});
afterEach(async () => {
  vi.useRealTimers();
  await worker.stop();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await rm(directory, { recursive: true, force: true });
});

/** The next failed call, as the worker tells it. */
function nextFailure(): Promise<{ message: string; retryInMs: number }> {
  return new Promise((resolve) => {
    const off = worker.on('call-failed', (event) => {
      off();
      resolve(event);
    });
  });
}

describe('a coordinator that', () => {
  it.each([
    [
      'answers 500',
      (response: Parameters<RequestListener>[1]) => response.writeHead(500).end(),
      'answered 500',
    ],
    [
      'answers nonsense',
      (response: Parameters<RequestListener>[1]) => response.writeHead(200).end('<html>It works!</html>'),
      "something that is not Gleaner's",
    ],
  ])(
    '%s for an hour is asked ever less, with the reason told, and worked for when it is well again',
    async (_what, say, message) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
      answer = (_request, response) => say(response);
      let failure = nextFailure();
      await worker.start();
      let calls = 0;
      for (let passedMs = 0; passedMs < HOUR_MS; calls++) {
        const { retryInMs, message: told } = await failure;
        expect(told).toContain(message);
        expect(worker.status()).toMatchObject({ phase: 'waiting' });
        expect(worker.status().reason).toContain(`trying again in ${Math.ceil(retryInMs / 1000)} s`);
        passedMs += retryInMs;
        failure = nextFailure();
        if (passedMs >= HOUR_MS) answer = wellAgain;
        await vi.advanceTimersByTimeAsync(retryInMs);
      }
      // 1 s, 2 s, 4 s … and then every five minutes, less a random part.
      expect(calls).toBeLessThan(40);
      await vi.waitFor(() => {
        expect(worker.status().reason).toBe('waiting: no jobs today');
      });
    },
  );
});

it('says beside what it computes why nobody takes its results, until somebody does', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  runner.run = (_held, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('the worker stops')));
    });
  const store = new FileTaskStore(directory);
  await store.load();
  await store.saveTask(aHeldTask('8.0'));
  await store.saveResult(aHeldResult('9.0'), []);
  const working = 'working on 1 task of one night';
  answer = (_request, response) => void response.writeHead(503).end();
  const failure = nextFailure();
  await worker.start();
  const { retryInMs } = await failure;
  await vi.waitFor(() => {
    expect(worker.status().reason).toContain(`${working}, for now without the coordinator: http`);
  });
  expect(worker.status().reason).toContain(`answered 503; trying again in ${Math.ceil(retryInMs / 1000)} s`);
  answer = wellAgain;
  await vi.advanceTimersByTimeAsync(retryInMs);
  await vi.waitFor(() => {
    expect(worker.status().reason).toBe(working);
  });
});

it('a coordinator that no longer speaks this version says so once, in a sentence, and is asked no more', async () => {
  let calls = 0;
  answer = (_request, response) => {
    calls += 1;
    const detail =
      'This agent speaks protocol 1; the coordinator needs 2: update it (npm install -g gleaner-agent).';
    const problem = { type: 'urn:gleaner:problem:agent-too-old', title: 'too old', status: 426, detail };
    response.writeHead(426, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ ...problem, code: 'agent-too-old' }));
  };
  const stopped = new Promise<{ error: Error | null }>((resolve) => {
    worker.on('stopped', resolve);
  });
  await worker.start();
  const { error } = await stopped;
  expect(error?.message).toContain('update it');
  expect(worker.status()).toMatchObject({ phase: 'stopped', reason: error?.message });
  expect(calls).toBe(1);
});

it('a worker says what it does when that changes, whatever it calls about and at most twice a minute', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  const said: Array<{ atMs: number; state: unknown }> = [];
  answer = (request, response) => {
    void json(request).then((body) => {
      const call = z.object({ state: z.unknown().optional() }).parse(body);
      if (call.state !== undefined) said.push({ atMs: performance.now(), state: call.state });
      const isHeartbeat = request.url === '/v1/heartbeat';
      // Asked for work hardly ever, and for heartbeats as seldom.
      const told = isHeartbeat
        ? { ...HEARTBEAT_ANSWER, nextMs: HOUR_MS }
        : { ...NO_WORK, retryAfterMs: HOUR_MS, heartbeatMs: HOUR_MS };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(told));
    });
  };
  const untilSaid = async (count: number): Promise<void> => {
    while (said.length < count) {
      await vi.advanceTimersByTimeAsync(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const paused = { phase: 'paused', reason: 'paused: you are typing' };
  await worker.start();
  await untilSaid(1);
  worker.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: 'paused: it runs on battery' });
  worker.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: paused.reason });
  await untilSaid(2);
  expect(said.map(({ state }) => state)).toEqual([
    { phase: 'waiting', reason: 'waiting: no jobs today' },
    paused,
  ]);
  const [first, second] = said.map(({ atMs }) => atMs);
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(30_000);
});

describe('a worker that is told to stop', () => {
  let reason = 'not stopped';
  let stopped: Promise<Error | null>;
  beforeEach(() => {
    stopped = new Promise((resolve) => {
      worker.on('stopped', (event) => {
        reason = event.reason;
        resolve(event.error);
      });
    });
    answer = wellAgain;
  });

  it('before it was started ends, tells the coordinator nothing and starts no more', async () => {
    let calls = 0;
    answer = () => {
      calls += 1;
    };
    await worker.stop();
    expect(await stopped).toBeNull();
    await worker.start();
    expect(worker.status()).toMatchObject({ phase: 'stopped', reason: 'stopped' });
    expect(calls).toBe(0);
  });

  it('while it starts ends, and returns what it was just reading from the disk', async () => {
    const heartbeats: unknown[] = [];
    answer = (request, response) => {
      void json(request).then((body) => {
        if (request.url === '/v1/heartbeat') heartbeats.push(body);
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ tasks: [], outputsWanted: [], nextMs: 1000 }));
      });
    };
    const held = aHeldTask('1.0');
    const store = new FileTaskStore(directory);
    await store.load();
    await store.saveTask(held);
    const starting = worker.start();
    await worker.stop();
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
    const store = new SlowStore(directory);
    worker = workerWith(store);
    const heartbeats: unknown[] = [];
    const { task, job } = aHeldTask('1.0');
    answer = (request, response) => {
      void json(request).then((body) => {
        if (request.url === '/v1/heartbeat') heartbeats.push(body);
        const isHeartbeat = request.url === '/v1/heartbeat';
        const said = isHeartbeat ? HEARTBEAT_ANSWER : { ...NO_WORK, jobs: [job], tasks: [task] };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
      });
    };
    await worker.start();
    await taken.promise;
    const stopping = worker.stop();
    // Whatever an impatient end would do comes before the disk is done.
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    onDisk.resolve();
    await stopping;
    expect(heartbeats).toEqual([{ running: [], returned: ['1.0'], leaving: true, state: STOPPED }]);
    expect((await store.load()).tasks).toEqual([]);
  });

  it('while it uploads an output says nothing of that', async () => {
    const failures: string[] = [];
    worker.on('call-failed', ({ message }) => failures.push(message));
    const store = new FileTaskStore(directory);
    await store.load();
    const result = { ...aHeldResult('1.0'), keptOutputs: ['stdout'] };
    await store.saveResult(result, [{ name: 'stdout', bytes: Buffer.from('large') }]);
    const uploading = Promise.withResolvers<void>();
    answer = (request, response) => {
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
    await worker.start();
    await uploading.promise;
    await worker.stop();
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([]);
  });

  it('while a part of it cannot be closed ends nevertheless, and says why', async () => {
    runner.close = () => Promise.reject(new Error('the disk is gone'));
    await worker.start();
    await worker.stop();
    expect((await stopped)?.message).toBe('the disk is gone');
    expect(reason).toBe('the disk is gone');
  });

  it('while computing is not allowed ends', async () => {
    worker.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: 'paused' });
    await worker.start();
    expect(worker.status().phase).toBe('paused');
    await worker.stop();
    expect(await stopped).toBeNull();
  });
});

const wellAgain: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(NO_WORK));
};
