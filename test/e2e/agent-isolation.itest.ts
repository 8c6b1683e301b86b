import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestApplication, freePort, processTree, type TestApplication } from '../support/index.js';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import {
  eventually,
  killingSandboxesOf,
  listeningPorts,
  sandboxOf,
  startedWith,
  statusWhere,
  swarmProcessOf,
} from './agent-support/running-agent.js';
import { endlessModule } from './agent-support/tiny-modules.js';
import { anApprovedApp } from './volunteering/science.js';

let application: TestApplication;
beforeAll(async () => {
  application = await createTestApplication();
  const { app, project, scientist } = await anApprovedApp(application, 'endless', endlessModule().original);
  const spec = {
    name: 'endless',
    app,
    split: [{ kind: 'range', name: 'n', from: 0, to: 50, step: 1 }],
    limits: { maxCycles: '1000000000000000' },
    merge: { kind: 'concat' },
  };
  await scientist.post('/v1/jobs', { project, spec }).expect(202);
});
afterAll(async () => {
  await application.close();
});

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-isolation-'));
});
afterEach(async () => {
  await rm(data, { recursive: true, force: true });
});

async function startAgent(p2p: '--p2p' | '--no-p2p'): Promise<AgentProcess> {
  const attached = await runAgent(['attach', application.url, '--anonymous', p2p, '--data', data]);
  expect(attached.code).toBe(0);
  const agent = new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data]);
  await statusWhere(data, ({ phase }) => phase === 'working');
  await eventually(() => sandboxOf(agent.pid));
  return agent;
}

it('without P2P nothing listens, no other process knows the token, and only the owner can read it', async () => {
  await using agent = await startAgent('--no-p2p');
  const tree = processTree(agent.pid);
  expect(tree.length).toBeGreaterThan(1);
  expect(tree.flatMap(listeningPorts)).toEqual([]);
  const [, token = ''] =
    /"token": "(gln_[^"]+)"/.exec(await readFile(join(data, 'attachment.json'), 'utf8')) ?? [];
  expect(token).not.toBe('');
  // A process that cannot be read would hide any token: that is one which has just ended, and not there at the next look.
  const given = await eventually(() => {
    const all = processTree(agent.pid).map(startedWith);
    return all.includes('') ? undefined : all;
  });
  for (const text of given) {
    // A sandbox has a shell beside it that outlives the agent's death.
    expect(text).toMatch(/node|^\/bin\/sh\0/);
    expect(text).not.toContain(token);
  }
  expect((await stat(data)).mode & 0o777).toBe(0o700);
  expect((await stat(join(data, 'attachment.json'))).mode & 0o777).toBe(0o600);
  // A sandbox gets no environment of the volunteer at all.
  const sandbox = await eventually(() => sandboxOf(agent.pid));
  expect(startedWith(sandbox)).toContain('node-child');
  expect(startedWith(sandbox)).not.toContain('HOME=');
});

it('with P2P the swarm’s process alone listens; it and the sandbox die and come back without the agent', async () => {
  const port = await freePort();
  expect(await runAgent(['prefs', `swarmPort=${port}`, '--data', data])).toMatchObject({ code: 0 });
  await using agent = await startAgent('--p2p');
  await statusWhere(data, ({ swarm }) => swarm?.state === 'on');
  const swarm = await eventually(() => swarmProcessOf(agent.pid));
  const others = processTree(agent.pid).filter((pid) => pid !== swarm);
  expect(others.flatMap(listeningPorts)).toEqual([]);
  expect(listeningPorts(swarm)).toEqual([port]);

  process.kill(swarm, 'SIGKILL');
  using _ = killingSandboxesOf(agent.pid);
  await eventually(() => {
    const next = swarmProcessOf(agent.pid);
    return next !== undefined && next !== swarm ? next : undefined;
  });
  await agent.logged('task-finished');
  await statusWhere(data, ({ phase }) => phase === 'waiting' || phase === 'working');
});
