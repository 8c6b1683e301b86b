import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
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
  type TestClient,
} from '../support/index.js';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, completeJob } from './volunteering/science.js';

let application: TestApplication;
beforeAll(async () => {
  application = await createTestApplication({
    env: {
      GLEANER_ALLOW_SAME_NETWORK: '1',
      GLEANER_NAME: 'Ear',
      GLEANER_OPERATOR_NAME: 'the observatory',
      GLEANER_OPERATOR_CONTACT: 'ear@observatory.example',
      GLEANER_SOURCE_URL: 'https://observatory.example/source',
    },
  });
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

  it('tells before it joins who runs the project, what it computes, where its source is, and what the exchange reveals', async () => {
    const { app, project, scientist } = await anApprovedApp(
      application,
      'told',
      helloModule('told\n').original,
    );
    const spec = {
      name: 'a night of noise',
      app,
      split: [{ kind: 'range', name: 'n', from: 0, to: 1, step: 1 }],
      merge: { kind: 'concat' },
    };
    await scientist.post('/v1/jobs', { project, spec }).expect(202);
    const shown = async () => (await scientist.get('/v1/public/jobs?running=true').expect(200)).text;
    await expect.poll(shown).toContain('a night of noise');
    const { code, stderr } = await runAgent([
      'attach',
      application.url,
      '--anonymous',
      '--data',
      join(data, 'curious'),
    ]);
    expect(code).toBe(0);
    const [before, after] = stderr.split('This machine is host');
    expect(after).toBeDefined();
    expect(before).toContain('is run by the observatory (ear@observatory.example).');
    expect(before).toMatch(/It computes now:\n(.*\n)* {2}a night of noise \(told@1\), for project-\d+\n/);
    expect(before).toContain('Its source: https://observatory.example/source\n');
    expect(before).toContain('see your network address and which inputs you have');
    expect(before).toContain('It stays off for this machine; --p2p agrees to it.');
  });

  it('tells its owner from afar, and nobody else, why it rests', async () => {
    const owner = await aPerson(application);
    const { hostId } = await attach('resting', owner.token);
    const directory = join(data, 'resting');
    expect((await runAgent(['pause', '--data', directory])).code).toBe(0);
    await using _ = startAgent('resting');
    const stateFor = async (client: TestClient) =>
      hostPage
        .parse((await client.get(`/v1/hosts?account=${owner.account.id}`)).body)
        .items.map(({ state }) => state);
    await expect
      .poll(() => stateFor(owner))
      .toMatchObject([
        { phase: 'paused', reason: expect.stringMatching(/^paused: you asked for it/) as string },
      ]);
    expect(await stateFor(operatorOf(application))).toEqual([null]);
    const stranger = await aPerson(application);
    expect((await stranger.get(`/v1/hosts/${hostId}`)).text).not.toContain('you asked for it');
  });

  it('joins as a new anonymous account without a token', async () => {
    const first = await attach('first');
    const second = await attach('second');
    expect(first.anonymous).toBe(true);
    expect(second.hostId).not.toBe(first.hostId);
  });

  it('tells an anonymous volunteer where the token is with which its work can be claimed later', async () => {
    const directory = join(data, 'nameless');
    const { stderr } = await runAgent([
      'attach',
      application.url,
      '--anonymous',
      '--no-p2p',
      '--data',
      directory,
    ]);
    const path = join(directory, 'attachment.json');
    expect(stderr).toContain(`with its token in ${path}`);
    const { projects } = JSON.parse(await readFile(path, 'utf8')) as {
      projects: Array<{ token: string; hostId: string }>;
    };
    const [nameless] = projects;
    const person = await aPerson(application);
    await person.post('/v1/accounts/me/claims', { secret: nameless?.token }).expect(200);
    const { items } = hostPage.parse((await person.get('/v1/hosts').expect(200)).body);
    expect(items.map(({ id }) => id)).toEqual([nameless?.hostId]);
  });

  it('says whose token of the environment it joins with, and how to get a code instead', async () => {
    const { account, token } = await aPerson(application, { scopes: ['work'] });
    const attach = ['attach', application.url, '--no-p2p', '--data', join(data, 'inherited')];
    const { code, stderr } = await runAgent(attach, { GLEANER_TOKEN: token });
    expect(stderr).toContain(
      `Joining account ${account.id} (${account.name}) with the token in GLEANER_TOKEN. Unset that variable to get a code instead`,
    );
    expect(stderr).toContain(`of account ${account.id} at Ear`);
    expect(code).toBe(0);
    const told = [...attach.slice(0, -1), join(data, 'told'), '--token', token];
    expect((await runAgent(told, { GLEANER_TOKEN: token })).stderr).not.toContain('GLEANER_TOKEN');
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
