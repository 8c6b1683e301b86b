import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { steppingModule } from './agent-support/long-module.js';
import { statusWhere } from './agent-support/running-agent.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';

let data: string;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-warnings-'));
  coordinator = await StandInCoordinator.start();
  await runAgent(['attach', coordinator.url, '--anonymous', '--no-p2p', '--data', data]);
});
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

function startAgent(): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data]);
}

/** What the agent warned of, in the order of its log, once it has ended. */
async function warningsOf(agent: AgentProcess): Promise<Array<{ about: string; reason: string }>> {
  agent.kill('SIGTERM');
  const { stdout } = await agent.ended;
  const lines = stdout.split('\n').filter((line) => line.includes('"event":"warning"'));
  return lines.map((line) => JSON.parse(line) as { about: string; reason: string });
}

it('snapshots that cannot be written are in the log once, and in the status until they can be', async () => {
  coordinator.addTask('1.0', steppingModule(2_000));
  await using agent = startAgent();
  await coordinator.until(() => coordinator.heartbeats.at(-1)?.running[0]?.cycles !== undefined);
  await rm(join(data, 'snapshots'), { recursive: true, force: true });
  await statusWhere(data, ({ warnings }) => warnings.length === 1);
  const { stdout } = await runAgent(['status', '--data', data]);
  expect(stdout).toMatch(/^warning: the state of running tasks cannot be kept \(ENOENT: .*\): a crash/m);
  await mkdir(join(data, 'snapshots'));
  await statusWhere(data, ({ warnings }) => warnings.length === 0);
  expect(await warningsOf(agent)).toMatchObject([{ about: 'snapshots' }]);
});

it('an agent says that another one works with a copy of its directory, in the log once and in the status', async () => {
  coordinator.isUsedTwice = true;
  await using agent = startAgent();
  await statusWhere(data, ({ warnings }) => warnings.length === 1);
  const { stdout } = await runAgent(['status', '--data', data]);
  expect(stdout).toMatch(/^warning: another agent works as this host, .* and attach it anew$/m);
  coordinator.isUsedTwice = false;
  await statusWhere(data, ({ warnings }) => warnings.length === 0);
  expect(await warningsOf(agent)).toMatchObject([{ about: 'used-twice' }]);
});

it('an agent calls itself otherwise at each start, and the same in all its calls', async () => {
  for (const started of [1, 2]) {
    await using agent = startAgent();
    const { workCalls } = coordinator;
    await coordinator.until(() => coordinator.workCalls > workCalls + 1);
    agent.kill('SIGTERM');
    await agent.ended;
    expect(coordinator.heartbeats.at(-1)?.leaving).toBe(true);
    expect(coordinator.instances.size).toBe(started);
  }
  expect([...coordinator.instances]).toEqual([
    expect.stringMatching(/^[0-9a-f]{16}$/),
    expect.stringMatching(/^[0-9a-f]{16}$/),
  ]);
});
