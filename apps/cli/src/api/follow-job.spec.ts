import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { jobSpec, type Job } from '@gleaner/protocol';
import { afterEach, expect, it } from 'vitest';
import { ApiClient } from './api-client.js';
import { followJob } from './follow-job.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
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
