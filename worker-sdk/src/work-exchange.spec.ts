import type { RequestListener } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { AnsweredWorker, HEARTBEAT_ANSWER, NO_WORK, wellAgain } from './answered-worker.fixture.js';
import { FileTaskStore } from './file-task-store.js';
import { aHeldResult, aHeldTask } from './held-task.fixture.js';
import type { TaskRunner } from './task-runner.js';

const HOUR_MS = 3_600_000;

let host: AnsweredWorker;
beforeEach(async () => {
  host = await AnsweredWorker.open();
});
afterEach(async () => {
  vi.useRealTimers();
  await host[Symbol.asyncDispose]();
});

/** Until the worker stops, which may be while the task is still being kept: then it begins with a signal that has aborted. */
const computeWithoutEnd: TaskRunner['run'] = (_held, { signal }) =>
  new Promise((_resolve, reject) => {
    const end = (): void => reject(new Error('the worker stops'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });

/** The next failed call, as the worker tells it. */
function nextFailure(): Promise<{ message: string; retryInMs: number }> {
  return new Promise((resolve) => {
    const off = host.worker.on('call-failed', (event) => {
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
      host.answer = (_request, response) => say(response);
      let failure = nextFailure();
      await host.worker.start();
      let calls = 0;
      for (let passedMs = 0; passedMs < HOUR_MS; calls++) {
        const { retryInMs, message: told } = await failure;
        expect(told).toContain(message);
        expect(host.worker.status()).toMatchObject({ phase: 'waiting' });
        expect(host.worker.status().reason).toContain(`trying again in ${Math.ceil(retryInMs / 1000)} s`);
        passedMs += retryInMs;
        failure = nextFailure();
        if (passedMs >= HOUR_MS) host.answer = wellAgain;
        await vi.advanceTimersByTimeAsync(retryInMs);
      }
      // 1 s, 2 s, 4 s … and then every five minutes, less a random part.
      expect(calls).toBeLessThan(40);
      await expect.poll(() => host.worker.status().reason).toBe('waiting: no jobs today');
    },
  );
});

it('takes no more tasks than it asked for', async () => {
  host.runner.run = computeWithoutEnd;
  const { job } = aHeldTask('1.0');
  const tasks = Array.from({ length: 500 }, (_, n) => aHeldTask(`${n + 1}.0`).task);
  const asked: number[] = [];
  host.answer = (request, response) => {
    if (request.url !== '/v1/work') return wellAgain(request, response);
    void json(request).then((body) => {
      asked.push(z.object({ request: z.object({ maxTasks: z.number() }) }).parse(body).request.maxTasks);
      response.end(JSON.stringify({ ...NO_WORK, jobs: [job], tasks }));
    });
  };
  await host.worker.start();
  let status = host.worker.status();
  await expect.poll(() => (status = host.worker.status()).running).not.toEqual([]);
  expect(asked).toHaveLength(1);
  expect(status.running.length + status.buffered).toBe(asked[0]);
});

it('says beside what it computes why nobody takes its results, until somebody does', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  host.runner.run = computeWithoutEnd;
  const store = new FileTaskStore(host.directory);
  await store.load();
  await store.saveTask(aHeldTask('8.0'));
  await store.saveResult(aHeldResult('9.0'), []);
  const working = 'working on 1 task of one night';
  host.answer = (_request, response) => void response.writeHead(503).end();
  const failure = nextFailure();
  await host.worker.start();
  const { retryInMs } = await failure;
  await expect
    .poll(() => host.worker.status().reason)
    .toContain(`${working}, for now without the coordinator: http`);
  expect(host.worker.status().reason).toContain(
    `answered 503; trying again in ${Math.ceil(retryInMs / 1000)} s`,
  );
  host.answer = wellAgain;
  await vi.advanceTimersByTimeAsync(retryInMs);
  await expect.poll(() => host.worker.status().reason).toBe(working);
});

it('a coordinator that no longer speaks this version says so once, in a sentence, and is asked no more', async () => {
  let calls = 0;
  host.answer = (_request, response) => {
    calls += 1;
    const detail =
      'This agent speaks protocol 1; the coordinator needs 2: update it (npm install -g gleaner-agent).';
    const problem = { type: 'urn:gleaner:problem:agent-too-old', title: 'too old', status: 426, detail };
    response.writeHead(426, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ ...problem, code: 'agent-too-old' }));
  };
  const stopped = new Promise<{ error: Error | null }>((resolve) => {
    host.worker.on('stopped', resolve);
  });
  await host.worker.start();
  const { error } = await stopped;
  expect(error?.message).toContain('update it');
  expect(host.worker.status()).toMatchObject({ phase: 'stopped', reason: error?.message });
  expect(calls).toBe(1);
});

it('a worker says what it does when that changes, whatever it calls about and at most twice a minute', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  const said: Array<{ atMs: number; state: unknown }> = [];
  host.answer = (request, response) => {
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
  await host.worker.start();
  await untilSaid(1);
  host.worker.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: 'paused: it runs on battery' });
  host.worker.allow({ cores: 0, dutyCycle: 1, memoryMiB: null, reason: paused.reason });
  await untilSaid(2);
  expect(said.map(({ state }) => state)).toEqual([
    { phase: 'waiting', reason: 'waiting: no jobs today' },
    paused,
  ]);
  const [first, second] = said.map(({ atMs }) => atMs);
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(30_000);
});
