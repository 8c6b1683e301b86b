import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resultDigestText } from '@gleaner/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { statusWhere } from './agent-support/running-agent.js';
import { problemAnswer, StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { endlessModule, helloModule } from './agent-support/tiny-modules.js';

let data: string;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-agent-'));
  coordinator = await StandInCoordinator.start();
});
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

async function attach(): Promise<void> {
  const { code, stderr } = await runAgent(['attach', coordinator.url, '--anonymous', '--data', data]);
  expect(stderr).toContain('host 1');
  expect(code).toBe(0);
}

function startAgent(...more: string[]): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data, ...more]);
}

describe('an agent', () => {
  it('computes, reports with a digest that can be recomputed, and says why it waits', async () => {
    coordinator.addTask('1.0', helloModule('hello\n'));
    await attach();
    await using _ = startAgent();
    await coordinator.until(() => coordinator.reports.length === 1);
    const [report] = coordinator.reports;
    expect(Buffer.from(report?.outputs[0]?.base64 ?? '', 'base64').toString()).toBe('hello\n');
    expect(report && createHash('sha256').update(resultDigestText(report)).digest('hex')).toBe(
      report?.digest,
    );
    const status = await statusWhere(data, ({ reason }) => reason === 'waiting: no jobs at the moment');
    expect(status.phase).toBe('waiting');
  });

  it('keeps its directory and its token to itself', async () => {
    await attach();
    expect((await stat(data)).mode & 0o777).toBe(0o700);
    expect((await stat(join(data, 'attachment.json'))).mode & 0o777).toBe(0o600);
  });

  it('refuses a module that is not what its hash says, and tells the coordinator', async () => {
    coordinator.addTask('1.0', helloModule('hello\n'), 'f'.repeat(64));
    await attach();
    await using _ = startAgent();
    await coordinator.until(() => coordinator.reports.length === 1);
    expect(coordinator.reports[0]).toMatchObject({ outcome: 'infrastructure' });
    expect(coordinator.reports[0]?.message).toContain('SHA-256');
    const { phase } = await statusWhere(data, ({ reason }) => reason.includes('could not compute a task'));
    expect(phase).toBe('waiting');
  });

  it('waits out a coordinator that fails or talks nonsense, and loses no result', async () => {
    coordinator.addTask('1.0', helloModule('kept\n'));
    coordinator.reportStatus = 'retry';
    await attach();
    await using agent = startAgent();
    await agent.logged('task-finished');
    coordinator.workAnswer = problemAnswer(500, 'internal', 'broken');
    await agent.logged('call-failed');
    const { phase } = await statusWhere(data, ({ reason }) =>
      /^waiting: broken; trying again in \d+ s$/.test(reason),
    );
    expect(phase).toBe('waiting');
    coordinator.workAnswer = (_request, response) => response.end('<html>');
    const calls = coordinator.workCalls;
    await coordinator.until(() => coordinator.workCalls > calls);
    coordinator.workAnswer = undefined;
    coordinator.reportStatus = 'accepted';
    await coordinator.until(() => coordinator.reports.length === 1);
    expect(coordinator.reports[0]).toMatchObject({ taskId: '1.0', outcome: 'ok' });
  });

  it('reports after kill -9 what it had computed before, without computing it again', async () => {
    coordinator.addTask('1.0', helloModule('survives\n'));
    coordinator.reportStatus = 'retry';
    await attach();
    await using first = startAgent();
    await first.logged('task-finished');
    first.kill('SIGKILL');
    await first.ended;
    expect(await readdir(join(data, 'results'))).toEqual(['1.0.json']);
    coordinator.reportStatus = 'accepted';
    await using second = startAgent();
    await coordinator.until(() => coordinator.reports.length === 1);
    await expect.poll(() => readdir(join(data, 'results'))).toEqual([]);
    second.kill('SIGTERM');
    const { stdout } = await second.ended;
    expect(stdout).not.toContain('task-started');
  });

  it('takes up an unfinished task after kill -9', async () => {
    coordinator.addTask('1.0', endlessModule());
    await attach();
    await using first = startAgent();
    await first.logged('task-started');
    first.kill('SIGKILL');
    await first.ended;
    await using second = startAgent();
    await second.logged('task-started');
  });

  it('returns its leases when it is told to stop', async () => {
    coordinator.addTask('1.0', endlessModule());
    coordinator.addTask('2.0', endlessModule());
    await attach();
    await using agent = startAgent();
    await agent.logged('task-started');
    agent.kill('SIGTERM');
    const { code } = await agent.ended;
    expect(code).toBe(0);
    expect(coordinator.heartbeats.at(-1)).toMatchObject({ leaving: true, returned: ['1.0'] });
    expect(await readdir(join(data, 'tasks'))).toEqual([]);
    const { stdout } = await runAgent(['status', '--json', '--data', data]);
    const reason = expect.stringContaining('not running') as string;
    expect(JSON.parse(stdout)).toMatchObject({ phase: 'stopped', reason });
  });

  it('stops computing what the coordinator no longer wants', async () => {
    coordinator.addTask('1.0', endlessModule());
    coordinator.action = 'abort';
    await attach();
    await using agent = startAgent();
    await agent.logged('task-dropped');
    expect(await readdir(join(data, 'tasks'))).toEqual([]);
  });

  it('ends with one clear sentence when its token is revoked', async () => {
    await attach();
    coordinator.workAnswer = problemAnswer(401, 'unauthorised', 'The token is revoked.');
    const { code, stderr } = await startAgent().ended;
    expect(code).toBe(6);
    const sentence =
      `${coordinator.url} does not accept this token: The token is revoked. This machine may have been removed on ` +
      `the website: "gleaner agent detach ${coordinator.url}", then attach it again`;
    expect(stderr).toContain(sentence);
    const { stdout } = await runAgent(['status', '--data', data]);
    expect(stdout).toContain(`(it ended with: ${sentence})`);
  });

  it('ends with one clear sentence when the coordinator needs a newer one, and as its service manager understands', async () => {
    await attach();
    const detail = 'This agent speaks protocol 1; the coordinator needs 2: update it.';
    coordinator.workAnswer = problemAnswer(426, 'agent-too-old', detail);
    const { code, stderr } = await startAgent().ended;
    expect(code).toBe(7);
    expect(stderr).toContain(detail);
    const isLinux = process.platform === 'linux';
    expect((await startAgent('--service').ended).code).toBe(isLinux ? 7 : 0);
  });

  it('with --once computes the work of one request and ends', async () => {
    coordinator.addTask('1.0', helloModule('once\n'));
    coordinator.addTask('2.0', helloModule('not this one\n'));
    await attach();
    const { code } = await startAgent('--once').ended;
    expect(code).toBe(0);
    expect(coordinator.reports.map(({ taskId }) => taskId)).toEqual(['1.0']);
  });

  it('lets no second agent into its directory', async () => {
    await attach();
    await using agent = startAgent();
    await agent.logged('started');
    const second = await runAgent(['run', '--data', data]);
    expect(second.code).toBe(4);
    expect(second.stderr).toContain('another agent already uses');
  });

  it('says what to do when its state is damaged', async () => {
    await attach();
    await writeFile(join(data, 'attachment.json'), '{"v":1,');
    const { code, stderr } = await runAgent(['run', '--data', data]);
    expect(code).toBe(3);
    expect(stderr).toContain('is damaged: attach again');
    expect((await runAgent(['attach', coordinator.url, '--anonymous', '--data', data])).code).toBe(0);
    expect(await readdir(data)).toContain('attachment.json.damaged');
  });

  it('attaches anew over damaged state without forgetting what can be read of it', async () => {
    await attach();
    const path = join(data, 'attachment.json');
    const { projects } = JSON.parse(await readFile(path, 'utf8')) as { projects: object[] };
    const other = { ...projects[0], coordinator: 'https://other.example/', token: 'gln_other' };
    await writeFile(path, JSON.stringify({ v: 2, projects: [{ ...projects[0], weight: 'much' }, other] }));
    const again = ['attach', coordinator.url, '--anonymous', '--data', data];
    const { code, stderr } = await runAgent(again);
    expect(code).toBe(0);
    expect(stderr).toContain('attachment.json.damaged');
    expect(stderr).toContain('Of the projects in it, 1 could be read');
    const kept = JSON.parse(await readFile(path, 'utf8')) as { projects: Array<{ token: string }> };
    expect(kept.projects.map(({ token }) => token)).toEqual(['gln_other', 'gln_host']);
  });

  it('attaches one project at a time, and says whom it waits for', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const asked = once(silent, 'request');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const waiting = ['attach', `http://127.0.0.1:${port}`, '--anonymous', '--json', '--data', data];
    await using first = new AgentProcess(waiting);
    await asked;
    const { code, stderr } = await runAgent(['attach', coordinator.url, '--anonymous', '--data', data]);
    first.kill('SIGKILL');
    silent.closeAllConnections();
    silent.close();
    expect(code).toBe(4);
    expect(stderr).toContain('attach or detach is at work');
  });
});

describe('a command', () => {
  it('that cannot use the directory says so in one line', async () => {
    await writeFile(join(data, 'file'), '');
    const inFile = ['--data', join(data, 'file', 'agent')];
    for (const command of [
      ['attach', coordinator.url, '--anonymous'],
      ['status'],
      ['prefs', 'onBattery=pause'],
    ]) {
      const { code, stderr } = await runAgent([...command, ...inFile]);
      expect(stderr).toMatch(/^gleaner agent: .*(ENOTDIR|not a directory).*\n$/);
      expect(code).toBe(1);
    }
    const { code, stderr } = await runAgent(['status', '--data', '']);
    expect(stderr).toBe('gleaner agent: --data is empty: give a directory, or leave it out\n');
    expect(code).toBe(2);
  });

  it('takes an empty variable for none', async () => {
    const { stdout } = await runAgent(['install', '--dry-run'], {
      HOME: data,
      GLEANER_AGENT_DATA: '',
      XDG_DATA_HOME: 'relative',
    });
    expect(stdout).toContain(`"${join(data, '.local', 'share', 'gleaner-agent')}"`);
  });

  it('works although its lock was damaged', async () => {
    await attach();
    await writeFile(join(data, 'agent.lock'), Buffer.alloc(5_000, 'garbage'));
    expect((await runAgent(['status', '--data', data])).stdout).toContain('not running');
    coordinator.addTask('1.0', helloModule('locked\n'));
    expect(await startAgent('--once').ended).toMatchObject({ code: 0 });
  });

  it('does not take for running what was killed', async () => {
    coordinator.addTask('1.0', endlessModule());
    await attach();
    await using agent = startAgent();
    await agent.logged('task-started');
    await statusWhere(data, ({ phase }) => phase === 'working');
    agent.kill('SIGKILL');
    await agent.ended;
    const { stdout } = await runAgent(['status', '--json', '--data', data]);
    expect(JSON.parse(stdout)).toMatchObject({ phase: 'stopped', agentRunning: false, running: [] });
    const top = await runAgent(['top', '--data', data]);
    expect(top.stdout).toMatch(/^gleaner agent {3}stopped {3}no core\nnot running: start the agent/);
  });
});
