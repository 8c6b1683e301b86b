import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skipLoudly } from '../support/skip-loudly.js';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { killingSandboxesOf, statusWhere } from './agent-support/running-agent.js';
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

async function attach(directory = data): Promise<void> {
  const args = ['attach', coordinator.url, '--anonymous', '--no-p2p', '--data', directory];
  expect(await runAgent(args)).toMatchObject({ code: 0 });
}

function startAgent(directory = data, env: Record<string, string> = {}): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', directory], env);
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
  await using _ = startAgent(data, beforehand(shifted));
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

/** A small disk has to be mounted. */
function mayMount(): boolean {
  if (process.platform === 'linux' && process.getuid?.() === 0) return true;
  skipLoudly('the test of a full disk', 'it needs root on Linux, to mount a small one.');
  return false;
}

/** A file system of its own, so small that it can be filled. */
class SmallDisk implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async mount(path: string, mebibytes: number): Promise<SmallDisk> {
    await mkdir(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path]);
    return new SmallDisk(path);
  }

  /** Leaves no byte free. */
  async fill(): Promise<void> {
    await writeFile(join(this.path, 'filler'), Buffer.alloc(64 * 1024 * 1024)).catch(() => undefined);
  }

  async empty(): Promise<void> {
    await rm(join(this.path, 'filler'), { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    execFileSync('umount', ['-l', this.path]);
    await rm(this.path, { recursive: true, force: true });
  }
}

describe.skipIf(!mayMount())('a full disk', () => {
  it('pauses by the rule, and where the volunteer has none, says so and goes on when there is room again', async () => {
    await using disk = await SmallDisk.mount(join(data, 'disk'), 8);
    await attach(disk.path);
    await using agent = startAgent(disk.path);
    await statusWhere(disk.path, ({ reason }) =>
      /^paused: only \d+ MiB of the disk are free \(512 MiB are to stay free\)$/.test(reason),
    );
    expect(await runAgent(['prefs', 'minFreeDiskMiB=0', '--data', disk.path])).toMatchObject({ code: 0 });
    await statusWhere(disk.path, ({ phase }) => phase === 'waiting');
    await disk.fill();
    coordinator.addTask('1.0', helloModule('no room\n'));
    await agent.logged('call-failed');
    await disk.empty();
    coordinator.addTask('2.0', helloModule('room\n'));
    await coordinator.until(() => coordinator.reports.some(({ outcome }) => outcome === 'ok'));
    agent.kill('SIGTERM');
    expect((await agent.ended).stdout).toContain('"message":"the disk is full"');
  });
});
