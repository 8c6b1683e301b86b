import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachHost, describeHost } from './attach-host.js';
import { CoordinatorClient, CoordinatorError } from './coordinator-client.js';
import { LoopbackServer } from './loopback-server.fixture.js';
import { completePolicy } from './policy.js';

const HEARTBEAT = { running: [] };

let servers: LoopbackServer[];
/** What was asked of anybody but the coordinator. */
let strayed: string[];
let answer: RequestListener;
let url: string;
beforeEach(async () => {
  servers = [];
  strayed = [];
  url = await served((request, response) => {
    answer(request, response);
  });
});
afterEach(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

async function served(listener: RequestListener): Promise<string> {
  const server = await LoopbackServer.open(listener);
  servers.push(server);
  return server.url.origin;
}

/** An address that takes whoever comes without a token for a stranger, as a coordinator does. */
async function elsewhere(): Promise<string> {
  return served((request, response) => {
    strayed.push(request.url ?? '');
    response.writeHead(401, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ type: 'x', title: 'Sign in', status: 401, code: 'unauthorised' }));
  });
}

async function failure(call: Promise<unknown>): Promise<CoordinatorError> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (error instanceof CoordinatorError) return error;
  throw new Error(`no CoordinatorError: ${String(error)}`);
}

function heartbeat(): Promise<CoordinatorError> {
  const client = new CoordinatorClient({ baseUrl: new URL(url), token: 'gln_host' });
  return failure(client.heartbeat(HEARTBEAT, AbortSignal.timeout(60_000)));
}

describe('a coordinator whose address leads on to another one', () => {
  it.each([301, 302, 307, 308])('is named with it by %i, and no token counts as refused', async (status) => {
    const other = await elsewhere();
    answer = (request, response) => {
      response.writeHead(status, { location: `${other}${request.url ?? ''}` }).end();
    };
    const { kind, message } = await heartbeat();
    expect(kind).toBe('not-a-coordinator');
    expect(message).toContain(`${url} sends its callers on to ${other}: `);
    expect(strayed).toEqual([]);
  });

  it('makes nobody a volunteer there without the token that was given', async () => {
    const other = await elsewhere();
    answer = (_request, response) => {
      response.writeHead(308, { location: `${other}/v1/hosts` }).end();
    };
    const facts = describeHost(completePolicy({}), '0.0.0');
    const options = { coordinator: url, token: 'gln_mine', facts };
    expect((await failure(attachHost(options, AbortSignal.timeout(60_000)))).kind).toBe('not-a-coordinator');
    expect(strayed).toEqual([]);
  });
});

describe('whoever answers in the place of a coordinator', () => {
  it('with a page is told from one that answers wrongly', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome to our network</h1>');
    };
    const { kind, message } = await heartbeat();
    expect(kind).toBe('not-a-coordinator');
    expect(message).toContain("is not Gleaner's (no JSON: the login page of a network");
  });

  it('as a proxy that wants a password is named', async () => {
    answer = (_request, response) => {
      response.writeHead(407).end();
    };
    expect((await heartbeat()).message).toContain('does a proxy in between ask for a password?');
  });

  it('keeps nobody away for longer than an hour', async () => {
    answer = (_request, response) => {
      response.writeHead(503, { 'retry-after': '86400000' }).end();
    };
    expect((await heartbeat()).details.retryAfterMs).toBe(3_600_000);
  });
});

describe('an answer that is no success', () => {
  it.each([
    [400, 'invalid-request', 'refused'],
    [401, 'unauthorised', 'revoked'],
    [404, 'not-found', 'refused'],
    [408, 'time-out', 'unavailable'],
    [426, 'agent-too-old', 'too-old'],
    [429, 'rate-limited', 'unavailable'],
    [500, 'internal', 'unavailable'],
    [503, 'unavailable', 'unavailable'],
  ])('of a coordinator, %i %s, means that it is %s', async (status, code, kind) => {
    answer = (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ type: 'x', title: 'No', status, code, detail: 'Not like this.' }));
    };
    const failed = await heartbeat();
    expect(failed.kind).toBe(kind);
    expect(failed.message).toContain('Not like this.');
  });

  it('says which fields are wrong, and nothing twice', async () => {
    const errors = [{ pointer: '/host/name', detail: 'must be one line' }];
    const problem = { type: 'x', title: 'No', status: 400, code: 'invalid-request', errors };
    answer = (_request, response) => response.writeHead(400).end(JSON.stringify(problem));
    expect((await heartbeat()).message).toBe('No (/host/name: must be one line)');
    answer = (_request, response) =>
      response.writeHead(400).end(JSON.stringify({ ...problem, detail: '/host/name: must be one line' }));
    expect((await heartbeat()).message).toBe('/host/name: must be one line');
  });

  it('of a coordinator that does not know what a newer agent says tells who can mend that', async () => {
    const errors = [{ pointer: '/instance', detail: 'is not a known field: there are running, state' }];
    const problem = { type: 'x', title: 'No', status: 400, code: 'invalid-request', errors };
    answer = (_request, response) => response.writeHead(400).end(JSON.stringify(problem));
    const { kind, message } = await heartbeat();
    expect(kind).toBe('refused');
    expect(message).toMatch(
      / runs an older version of Gleaner than this agent, and does not know \/instance: /,
    );
  });

  it.each([
    [404, 'not-a-coordinator'],
    [429, 'unavailable'],
    [500, 'unavailable'],
    [501, 'not-a-coordinator'],
    [502, 'unavailable'],
  ])('of whoever stands before it, %i, means %s', async (status, kind) => {
    answer = (_request, response) => {
      response.writeHead(status).end();
    };
    expect((await heartbeat()).kind).toBe(kind);
  });
});
