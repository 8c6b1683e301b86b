import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, runAgent, type Ended } from './agent-support/agent-process.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { endlessModule, helloModule } from './agent-support/tiny-modules.js';

let data: string;
let coordinator: StandInCoordinator;
let silent: Server | undefined;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-detach-'));
  coordinator = await StandInCoordinator.start();
});
afterEach(async () => {
  silent?.close();
  silent = undefined;
  await coordinator[Symbol.asyncDispose]().catch(() => undefined);
  await rm(data, { recursive: true, force: true });
});

const agent = (command: string, ...args: string[]): Promise<Ended> =>
  runAgent([command, ...args, '--data', data]);

async function attach({ url }: StandInCoordinator): Promise<void> {
  expect((await agent('attach', url, '--anonymous', '--json')).code).toBe(0);
}

const running = (): AgentProcess =>
  new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data]);

/** A task of the coordinator's is on the disk, begun and not done. */
async function computeHalf(): Promise<void> {
  coordinator.addTask('1.0', endlessModule());
  await attach(coordinator);
  await using first = running();
  await first.logged('task-started');
  first.kill('SIGKILL');
  await first.ended;
  expect(await readdir(join(data, 'tasks'))).toEqual(['1.0.json']);
}

/** Calls arrive, and nobody answers: a network that swallows them. Resolves when a detach waits there. */
async function detachIntoSilence(): Promise<AgentProcess> {
  const port = Number(new URL(coordinator.url).port);
  await coordinator.vanish();
  silent = createServer((socket) => socket.on('error', () => undefined)).listen(port, '127.0.0.1');
  await once(silent, 'listening');
  const asked = once(silent, 'connection');
  const detaching = new AgentProcess(['detach', '--data', data]);
  await asked;
  return detaching;
}

describe('detaching', () => {
  it('that is told to hurry leaves all the same, and says who was not told', async () => {
    await computeHalf();
    await using detaching = await detachIntoSilence();
    detaching.kill('SIGINT');
    const { code, stderr } = await detaching.ended;
    expect(stderr).toContain(`Detached from http`);
    expect(stderr).toContain('The coordinator could not be told: ');
    expect(code).toBe(0);
    expect(await readdir(data)).not.toContain('tasks');
  });

  it('that is killed leaves nothing that another project is told of', async () => {
    await computeHalf();
    await using detaching = await detachIntoSilence();
    detaching.kill('SIGKILL');
    await detaching.ended;
    await using other = await StandInCoordinator.start('other');
    other.secret = 'gln_other';
    other.addTask('7.0', helloModule('hello\n'));
    await attach(other);
    await using _ = running();
    await other.until(() => other.reports.length > 0);
    expect(other.reports.map(({ taskId }) => taskId)).toEqual(['7.0']);
    const told = other.heartbeats.flatMap(({ running: tasks, returned }) => [
      ...tasks.map(({ taskId }) => taskId),
      ...returned,
    ]);
    expect(told).not.toContain('1.0');
  });

  it('from an agent that does not let go can be repeated', async () => {
    await attach(coordinator);
    await using hung = running();
    await hung.logged('started');
    hung.kill('SIGSTOP');
    await using detaching = new AgentProcess(['detach', '--data', data]);
    await expect.poll(() => readdir(data)).not.toContain('attachment.json');
    detaching.kill('SIGINT');
    const { code, stderr } = await detaching.ended;
    expect(stderr).toContain('still belongs to');
    expect(code).toBe(1);
    expect(await readFile(join(data, 'attachment.json'), 'utf8')).toContain(coordinator.url);
    hung.kill('SIGCONT');
    expect((await agent('detach')).code).toBe(0);
    await hung.ended;
  });
});
