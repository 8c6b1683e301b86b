import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, BUILT_AGENT, runAgent } from './agent-support/agent-process.js';
import { killingSandboxesOf, statusWhere } from './agent-support/running-agent.js';
import { maySmallenDisk, SmallDisk } from './agent-support/small-disk.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { endlessModule, helloModule } from './agent-support/tiny-modules.js';

const YEAR_MS = 365 * 24 * 3600 * 1000;

let data: string;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-bad-'));
  coordinator = await StandInCoordinator.start();
});
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

async function attach(): Promise<void> {
  const args = ['attach', coordinator.url, '--anonymous', '--no-p2p', '--data', data];
  expect(await runAgent(args)).toMatchObject({ code: 0 });
}

function startAgent(env: Record<string, string> = {}): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data], env);
}

/** Makes Node run this before the agent. */
function beforehand(script: string): Record<string, string> {
  return { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(script)}"` };
}

it('an old Node is told which one is needed, before anything of it is used', async () => {
  const old =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.0' } })";
  const { code, stderr } = await runAgent(['status', '--data', data], beforehand(old));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^gleaner agent needs Node 24 or newer; this is v[\d.]+\n$/);
});

it.each([
  ['a year ahead', YEAR_MS],
  ['a year behind', -YEAR_MS],
])('a machine whose clock is %s computes and reports like any other', async (_what, byMs) => {
  coordinator.addTask('1.0', helloModule('in time\n'));
  await attach();
  const shifted = `const { now } = Date; const Real = Date; globalThis.Date = class extends Real {
    constructor(...args) { if (args.length === 0) super(now() + ${byMs}); else super(...args); }
    static now() { return now() + ${byMs}; }
  }`;
  await using _ = startAgent(beforehand(shifted));
  await coordinator.until(() => coordinator.reports.length === 1);
  expect(coordinator.reports[0]).toMatchObject({ taskId: '1.0', outcome: 'ok' });
});

it('a network that goes away is waited out, and what was computed meanwhile is reported when it is back', async () => {
  await attach();
  await using running = startAgent();
  await coordinator.until(() => coordinator.workCalls > 0);
  coordinator.addTask('1.0', helloModule('while away\n'));
  coordinator.reportStatus = 'retry';
  await running.logged('task-finished');
  await coordinator.vanish();
  const { phase } = await statusWhere(data, ({ reason }) =>
    /^waiting: http:.* cannot be reached \(ECONNREFUSED\); trying again in \d+ s$/.test(reason),
  );
  expect(phase).toBe('waiting');
  coordinator.reportStatus = 'accepted';
  await coordinator.reappear();
  await coordinator.until(() => coordinator.reports.length === 1);
  expect(coordinator.reports[0]).toMatchObject({ outcome: 'ok' });
});

it('a unit that takes the sandbox down every time is reported as this host’s failure, and the agent goes on', async () => {
  coordinator.addTask('1.0', endlessModule());
  await attach();
  await using running = startAgent();
  using _ = killingSandboxesOf(running.pid);
  await coordinator.until(() => coordinator.reports.length === 1);
  expect(coordinator.reports[0]).toMatchObject({ taskId: '1.0', outcome: 'infrastructure' });
  expect(coordinator.reports[0]?.message).toMatch(
    /the sandbox (ended while computing|cannot start): signal SIGKILL/,
  );
  const { phase } = await statusWhere(data, ({ reason }) => reason.includes('could not compute a task'));
  expect(phase).toBe('waiting');
});

it('more cores than the machine has are told at the start, and the memory is not shared among them', async () => {
  await attach();
  const few = Math.min(availableParallelism(), 1024);
  const args = ['run', '--json', '--always', '--once', '--data', data, '--cores'];
  const [all, more] = [await runAgent([...args, String(few)]), await runAgent([...args, '1024'])];
  expect(all.stdout).not.toContain('fewer-cores');
  const told = more.stdout.split('\n').filter((line) => line.includes('"fewer-cores"'));
  expect(told.map((line) => JSON.parse(line) as object)).toMatchObject([
    { reason: `--cores 1024: this machine has ${few}`, cores: few },
  ]);
  const [offered, offeredThen] = coordinator.offers;
  expect(offeredThen).toEqual(offered);
});

it('memory that no unit would be given to is refused', async () => {
  await attach();
  const { code, stderr } = await runAgent(['run', '--memory', '63', '--data', data]);
  expect(stderr).toContain("'63' is invalid. must be a whole number from 64 to 1048576");
  expect(code).toBe(2);
});

describe.skipIf(!maySmallenDisk())('a full disk', () => {
  it('pauses by the rule, and where the volunteer has none, costs no work but what needs room', async () => {
    await using disk = await SmallDisk.mount(join(data, 'disk'), 8);
    const agentOnDisk = disk.command(BUILT_AGENT);
    const tell = (...args: string[]) => runAgent([...args, '--data', disk.path], {}, agentOnDisk);
    expect(await tell('attach', coordinator.url, '--anonymous', '--no-p2p')).toMatchObject({ code: 0 });
    const run = ['run', '--json', '--always', '--cores', '1', '--data', disk.path];
    await using agent = new AgentProcess(run, {}, agentOnDisk);
    await statusWhere(disk.outsidePath, ({ reason }) =>
      /^paused: only \d+ MiB of the disk are free \(512 MiB are to stay free\)$/.test(reason),
    );
    expect(await tell('prefs', 'minFreeDiskMiB=0')).toMatchObject({ code: 0 });
    await statusWhere(disk.outsidePath, ({ phase }) => phase === 'waiting');
    const known = helloModule('fetched before\n');
    coordinator.addTask('1.0', known);
    await coordinator.until(() => coordinator.reports.length === 1);
    await disk.fill();
    for (const taskId of ['2.0', '3.0', '4.0']) coordinator.addTask(taskId, known);
    await coordinator.until(() => coordinator.reports.length === 4);
    expect(coordinator.reports.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok']);
    await agent.logged('not-kept');
    coordinator.addTask('5.0', helloModule('no room\n'));
    await coordinator.until(() => coordinator.reports.length === 5);
    expect(coordinator.reports[4]).toMatchObject({ outcome: 'infrastructure', message: 'the disk is full' });
    await disk.empty();
    coordinator.addTask('6.0', helloModule('room\n'));
    await coordinator.until(() => coordinator.reports.length === 6);
    expect(coordinator.reports[5]).toMatchObject({ outcome: 'ok' });
    agent.kill('SIGTERM');
    await agent.ended;
    expect(await readdir(join(disk.outsidePath, 'tasks'))).toEqual([]);
  });
});
