import {
  heartbeatRequest,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type HostState,
} from '@gleaner/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoordinatorClient } from './coordinator-client.js';
import { Heartbeats } from './heartbeats.js';
import { LoopbackServer } from './loopback-server.fixture.js';
import { StateNotices } from './state-notices.js';

const HELD = [{ taskId: '1.0' }];
const ANSWER: HeartbeatResponse = { tasks: [], outputsWanted: [], nextMs: 60_000 };

let server: LoopbackServer;
let client: CoordinatorClient;
let told: HeartbeatRequest[];
/** Of the answers to come; the last one is that of all others. */
let statuses: number[];
let ending: AbortController;
beforeEach(async () => {
  told = [];
  statuses = [200];
  ending = new AbortController();
  server = await LoopbackServer.open((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      told.push(heartbeatRequest.parse(JSON.parse(Buffer.concat(parts).toString())));
      const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
      const problem = {
        type: 'x',
        title: 'x',
        status,
        code: status === 401 ? 'unauthorised' : 'unavailable',
      };
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? ANSWER : problem));
    });
  });
  client = new CoordinatorClient({ baseUrl: server.url, token: 'gln_host' });
});
afterEach(async () => {
  ending.abort();
  await server[Symbol.asyncDispose]();
});

function aHost({ held = HELD, state = null }: { held?: typeof HELD; state?: HostState | null }): {
  heartbeats: Heartbeats;
  answers: HeartbeatResponse[];
} {
  const answers: HeartbeatResponse[] = [];
  const heartbeats = new Heartbeats({
    client,
    held: () => held,
    notices: new StateNotices(() => state),
    answered: (answer) => {
      answers.push(answer);
      return Promise.resolve();
    },
  });
  return { heartbeats, answers };
}

describe('heartbeats', () => {
  it('end once the token is no longer accepted, also while nothing else would be asked for hours', async () => {
    statuses = [401];
    const { heartbeats } = aHost({});
    await expect(heartbeats.run(ending.signal)).rejects.toMatchObject({ kind: 'revoked' });
    expect(told).toMatchObject([{ running: HELD }]);
  });

  it('go on when one of them came to nothing', async () => {
    statuses = [503, 200];
    const { heartbeats, answers } = aHost({});
    heartbeats.setInterval(1);
    const ended = heartbeats.run(ending.signal);
    await expect.poll(() => answers).toEqual([ANSWER]);
    ending.abort();
    await ended;
    expect(told).toHaveLength(2);
  });

  it('take up a shorter interval at once', async () => {
    const { heartbeats, answers } = aHost({});
    const ended = heartbeats.run(ending.signal);
    await expect.poll(() => answers).toHaveLength(1);
    heartbeats.setInterval(1);
    await expect.poll(() => answers).toHaveLength(2);
    ending.abort();
    await ended;
  });

  it('tell what is new of a host that holds nothing', async () => {
    const state: HostState = { phase: 'paused', reason: 'paused: somebody is at the machine' };
    const { heartbeats } = aHost({ held: [], state });
    const ended = heartbeats.run(ending.signal);
    await expect.poll(() => told).toMatchObject([{ running: [], state }]);
    ending.abort();
    await ended;
  });
});
