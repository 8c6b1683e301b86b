import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { jobSpec, type Job } from '@gleaner/protocol';
import { afterEach, expect, it, vi } from 'vitest';
import { ApiClient } from './api-client.js';
import { followJob } from './follow-job.js';
import { watchJob } from './watch-job.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  vi.restoreAllMocks();
});

async function serving(listener: RequestListener): Promise<ApiClient> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new ApiClient({ url: `http://127.0.0.1:${port}`, token: 'gln_x' });
}

function aJob(overrides: Partial<Job>): Job {
  const split = [{ kind: 'range', name: 'p', from: 0, to: 2, step: 1 }];
  return {
    id: '7',
    project: 'primes',
    accountId: '3',
    name: 'exponents',
    app: 'hunt@1',
    state: 'running',
    stateReason: null,
    units: { total: 2, open: 2, awaitingOutput: 0, valid: 0, failed: 0, cancelled: 0, blocked: 0 },
    blockedReason: null,
    progressPermille: 0,
    tasks: 0,
    validatedCycles: '0',
    output: null,
    createdAt: '2026-11-23T00:00:00.000Z',
    finishedAt: null,
    spec: jobSpec.parse({ name: 'exponents', app: 'hunt@1', split }),
    ...overrides,
  };
}

it('a job is followed on although the coordinator could not answer for a while', async () => {
  const unavailable = { type: 'about:blank', title: 'Not available', status: 503, code: 'unavailable' };
  const answers: [number, object][] = [
    [200, aJob({})],
    [503, unavailable],
    [200, aJob({ state: 'completed', finishedAt: '2026-11-23T01:00:00.000Z' })],
  ];
  const api = await serving((request, response) => {
    const isStream = request.url === '/v1/jobs/7/events';
    const [status, body] = (isStream ? undefined : answers.shift()) ?? [503, unavailable];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const states: string[] = [];
  for await (const { state } of followJob(api, '7', new AbortController().signal)) states.push(state);
  expect(states).toEqual(['running', 'completed']);
});

it('whoever watches a job is told why nothing comes where the coordinator is away', async () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const answers = [502, 502, 200];
  const api = await serving((request, response) => {
    const status = request.url === '/v1/jobs/7/events' ? 502 : (answers.shift() ?? 502);
    const ended = aJob({ state: 'cancelled', finishedAt: '2026-11-23T01:00:00.000Z' });
    response.writeHead(status).end(status === 200 ? JSON.stringify(ended) : '<html>');
  });
  await watchJob(api, '7', new AbortController().signal);
  expect(written.filter((text) => !text.startsWith('Units'))).toEqual([
    expect.stringMatching(/ answered 502, as a proxy does .*\nIt is asked again for a minute\.\n$/),
  ]);
});

it('whoever watches a job is told at once, and once, that it is paused and what can be done', async () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const units = { total: 9, open: 8, awaitingOutput: 0, valid: 0, failed: 1, cancelled: 0, blocked: 0 };
  const paused = aJob({ state: 'paused', stateReason: '1 of the first 1 units failed', units });
  const jobs = [paused, paused, aJob({ state: 'cancelled', finishedAt: '2026-11-23T01:00:00.000Z' })];
  const api = await serving((_request, response) => {
    const events = jobs.map((job) => `event: job\ndata: ${JSON.stringify(job)}\n\n`);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''));
  });
  await watchJob(api, '7', new AbortController().signal);
  expect(written.filter((text) => !text.startsWith('Units'))).toEqual([
    'paused: 1 of the first 1 units failed\nwhy units failed: gleaner job units 7 --state failed; ' +
      'to go on: gleaner job resume 7; to end it: gleaner job cancel 7\n',
  ]);
});
