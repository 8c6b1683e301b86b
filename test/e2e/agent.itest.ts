import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostPage } from '@gleaner/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  aPerson,
  clientWith,
  createTestApplication,
  operatorOf,
  type TestApplication,
} from '../support/index.js';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, completeJob } from './volunteering/science.js';

let application: TestApplication;
beforeAll(async () => {
  application = await createTestApplication({ env: { GLEANER_ALLOW_SAME_NETWORK: '1' } });
});
afterAll(() => application.close());

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-agent-'));
});
afterEach(async () => {
  await rm(data, { recursive: true, force: true });
});

async function attach(name: string, token?: string): Promise<{ hostId: string; anonymous: boolean }> {
  const how = token === undefined ? ['--anonymous'] : ['--token', token];
  const args = ['attach', application.url, '--data', join(data, name), '--name', name, '--json', ...how];
  const { code, stdout, stderr } = await runAgent(args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as { hostId: string; anonymous: boolean };
}

function startAgent(name: string): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', join(data, name)]);
}

describe('an agent and its coordinator', () => {
  it('computes a job together with another volunteer’s agent', async () => {
    const science = await anApprovedApp(application, 'hello', helloModule('hello\n').original);
    const completing = completeJob(science, {
      name: 'hello',
      app: science.app,
      split: [{ kind: 'range', name: 'n', from: 0, to: 20, step: 1 }],
    });
    const people = [
      await aPerson(application, { scopes: ['work'] }),
      await aPerson(application, { scopes: ['work'] }),
    ];
    for (const [index, { token }] of people.entries()) await attach(`agent-${index}`, token);
    await using agents = new AsyncDisposableStack();
    for (const index of people.keys()) agents.use(startAgent(`agent-${index}`));
    const { answer, job } = await completing;
    expect(answer).toBe('hello\n'.repeat(20));
    expect(job.tasks).toBe(40);
  });

  it('joins as a new anonymous account without a token', async () => {
    const first = await attach('first');
    const second = await attach('second');
    expect(first.anonymous).toBe(true);
    expect(second.hostId).not.toBe(first.hostId);
  });

  it('names a token that is not accepted', async () => {
    const token = `gln_${'y'.repeat(43)}`;
    const { code, stderr } = await runAgent(['attach', application.url, '--token', token, '--data', data]);
    expect(stderr).toContain('does not accept this token');
    expect(code).toBe(6);
  });

  it('leaves nothing that could work behind when it detaches', async () => {
    const person = await aPerson(application, { scopes: ['work'] });
    const { hostId } = await attach('leaver', person.token);
    const directory = join(data, 'leaver');
    const { code } = await runAgent(['detach', '--data', directory]);
    expect(code).toBe(0);
    expect(await readdir(directory)).not.toContain('attachment.json');
    const hosts = await clientWith(application, person.token).get('/v1/hosts').expect(200);
    expect(hostPage.parse(hosts.body).items.map(({ id }) => id)).not.toContain(hostId);
  });

  it('stops with a clear sentence when its account’s operator removes the host', async () => {
    const person = await aPerson(application, { scopes: ['work'] });
    const { hostId } = await attach('removed', person.token);
    await operatorOf(application).delete(`/v1/hosts/${hostId}`).expect(204);
    const { code, stderr } = await startAgent('removed').ended;
    expect(stderr).toContain('does not accept this token');
    expect(code).toBe(6);
  });
});
