import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { eventually, isSandboxStopped, sandboxCpuMs, statusWhere } from './agent-support/running-agent.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { steppingModule } from './agent-support/long-module.js';
import { endlessModule, helloModule } from './agent-support/tiny-modules.js';
import { hasVirtualDisplay, VirtualDisplay } from './agent-support/virtual-display.js';

let data: string;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-idle-'));
  coordinator = await StandInCoordinator.start();
  const { code } = await runAgent(['attach', coordinator.url, '--anonymous', '--data', data]);
  expect(code).toBe(0);
});
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

async function prefer(...changes: readonly string[]): Promise<void> {
  const { code, stderr } = await runAgent(['prefs', ...changes, '--data', data]);
  expect(stderr).not.toContain('gleaner agent:');
  expect(code).toBe(0);
}

async function tell(...args: readonly string[]): Promise<string> {
  const { code, stdout } = await runAgent([...args, '--data', data]);
  expect(code).toBe(0);
  return stdout.trim();
}

function startAgent(env: Record<string, string> = {}): AgentProcess {
  return new AgentProcess(['run', '--json', '--cores', '1', '--data', data], { DISPLAY: '', ...env });
}

async function computing(agent: AgentProcess): Promise<void> {
  await statusWhere(data, ({ phase }) => phase === 'working');
  await eventually(() => isSandboxStopped(agent.pid) === false || undefined);
}

/** The agent says so, and its sandbox has really stopped: it uses no CPU time while the agent goes on. */
async function pausedBecause(agent: AgentProcess, why: RegExp): Promise<void> {
  await statusWhere(data, ({ phase, reason }) => phase === 'paused' && why.test(reason));
  await eventually(() => isSandboxStopped(agent.pid) || undefined);
  const stoppedCpuMs = sandboxCpuMs(agent.pid);
  expect(stoppedCpuMs).toBeGreaterThan(0);
  const shown = await runAgent(['status', '--data', data]);
  const cpuMs = sandboxCpuMs(agent.pid);
  // Where it was continued meanwhile, as after a short while without input, that says nothing.
  if (isSandboxStopped(agent.pid) === false) return;
  expect(shown.stdout.split('\n')[0]).toMatch(why);
  expect(cpuMs).toBe(stoppedCpuMs);
}

/** This machine is busy with tests: what others use of it decides only where a test is about that. */
const OTHERS_MAY_COMPUTE = 'maxCpuByOthersPercent=null';

describe.skipIf(!hasVirtualDisplay())('an agent on a machine with a display', () => {
  it('stops within 5 s of a key press, says why, and goes on afterwards', { timeout: 400_000 }, async () => {
    coordinator.addTask('1.0', endlessModule());
    await using display = await VirtualDisplay.start();
    await prefer(OTHERS_MAY_COMPUTE, 'inUseMinutes=0.25');
    await using agent = startAgent({ DISPLAY: display.name });
    await computing(agent);
    const beforeMs = Date.now();
    await display.pressKey();
    const pressedAtMs = Date.now();
    await pausedBecause(agent, /^paused: you are typing$/);
    // By the agent's own word: how long it takes to look at it from here is not what this is about.
    const pausedAtMs = await eventually(() => {
      const atMs = agent.lastAtMs('computing-paused');
      return atMs >= beforeMs ? atMs : undefined;
    });
    // It may have noticed before this process heard that the key was pressed.
    expect(pausedAtMs - pressedAtMs).toBeLessThan(5_000);
    await computing(agent);
  });

  it('computes on while somebody types where the volunteer allows it', async () => {
    if (availableParallelism() === 1) return;
    coordinator.addTask('1.0', endlessModule());
    await using display = await VirtualDisplay.start();
    await display.pressKey();
    await prefer(OTHERS_MAY_COMPUTE, 'whileInUse=compute', 'cores.inUse=1');
    await using agent = startAgent({ DISPLAY: display.name });
    await computing(agent);
    const { allowance } = await statusWhere(data, (status) =>
      status.allowance.reason.includes('the machine is in use'),
    );
    expect(allowance).toMatchObject({ cores: 1 });
  });
});

describe('an agent beside other programs', () => {
  const burners: ChildProcess[] = [];
  afterEach(() => {
    for (const burner of burners.splice(0)) burner.kill('SIGKILL');
  });

  it(
    'pauses while they use the CPU, says how much, and goes on when they use less',
    { timeout: 400_000 },
    async () => {
      coordinator.addTask('1.0', endlessModule());
      // Others cannot use more than all of it.
      await prefer('maxCpuByOthersPercent=100');
      await using agent = startAgent();
      await computing(agent);
      for (let core = 0; core < 2 * availableParallelism(); core++) {
        burners.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
      }
      await prefer('maxCpuByOthersPercent=');
      await pausedBecause(agent, /^paused: other programs use \d+ % of the CPU \(limit 25 %\)$/);
      for (const burner of burners.splice(0)) burner.kill('SIGKILL');
      const used = cpuUse();
      // On a machine that is busy with something else as well, only a higher limit lets it go on.
      await eventually(
        () => isSandboxStopped(agent.pid) === false || (used() ?? 0) > 0.2 || undefined,
        () => used(),
      );
      await prefer('maxCpuByOthersPercent=100');
      await computing(agent);
    },
  );
});

/** Tells the share (0 to 1) of the CPU that programs of normal priority have used since, once that is long enough to say. */
function cpuUse(): () => number | undefined {
  const [busyBefore, totalBefore] = cpuTimes();
  const beganAtMs = performance.now();
  return () => {
    const [busy, total] = cpuTimes();
    const isLongEnough = performance.now() - beganAtMs > 15_000;
    return isLongEnough ? (busy - busyBefore) / (total - totalBefore) : undefined;
  };
}

/** What was used at normal priority, and all there was. */
function cpuTimes(): [number, number] {
  const times = cpus().map((core) => core.times);
  const busy = times.reduce((sum, { user, sys, irq }) => sum + user + sys + irq, 0);
  return [busy, times.reduce((sum, { nice, idle }) => sum + nice + idle, busy)];
}

describe('an agent whose volunteer', () => {
  it('says pause stops where it is, also after a restart, until told to resume', async () => {
    coordinator.addTask('1.0', endlessModule());
    await prefer(OTHERS_MAY_COMPUTE);
    await using first = startAgent();
    await computing(first);
    expect(await tell('pause')).toMatch(/^paused: you asked for it/);
    await pausedBecause(first, /^paused: you asked for it/);
    first.kill('SIGKILL');
    await first.ended;
    await using second = startAgent();
    await statusWhere(data, ({ pid, phase }) => pid === second.pid && phase === 'paused');
    expect(await tell('resume')).not.toContain('you asked');
    await computing(second);
  });

  it('says compute whatever happens is told what that changed, and not why it rested before', async () => {
    coordinator.addTask('1.0', endlessModule());
    await prefer(OTHERS_MAY_COMPUTE, 'hours={}');
    await using agent = startAgent();
    await statusWhere(data, ({ phase, reason }) => phase === 'paused' && reason.includes('no hours'));
    expect(await tell('resume', '--always')).toMatch(
      /^(computing|asking the coordinator for work|working on 1 task)/,
    );
    await computing(agent);
    expect(await tell('resume')).toMatch(/^paused: no hours on \w+days$/);
  });

  it('says pause for a while is told until when', async () => {
    await prefer(OTHERS_MAY_COMPUTE);
    expect(await tell('pause', '--for', '2h')).toContain('does not run');
    await using _ = startAgent();
    const { reason } = await statusWhere(data, ({ phase }) => phase === 'paused');
    expect(reason).toMatch(/^paused: you asked for it, until (tomorrow )?\d\d:\d\d$/);
  });

  it('changes the hours sees it follow at once, and complains about hours that are none', async () => {
    coordinator.addTask('1.0', endlessModule());
    await prefer(OTHERS_MAY_COMPUTE);
    await using agent = startAgent();
    await computing(agent);
    const bad = await runAgent(['prefs', 'hours.everyday=22-7', '--data', data]);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain('"22-7" is no range of hours');
    await prefer('hours={}');
    await pausedBecause(agent, /^paused: no hours on \w+days$/);
    await prefer('hours=');
    await computing(agent);
  });

  it('says finish gets the work at hand completed, and no more is asked for', async () => {
    // Long enough to be at work still when another program has started and said so.
    coordinator.addTask('1.0', steppingModule(160));
    coordinator.addTask('2.0', helloModule('one more\n'));
    await prefer(OTHERS_MAY_COMPUTE);
    await using agent = startAgent();
    await computing(agent);
    await tell('finish');
    const { code, stdout } = await agent.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('"event":"finishing"');
    expect(coordinator.reports).toMatchObject([{ taskId: '1.0', outcome: 'ok' }]);
  });

  it('says finish although nothing runs is told so', async () => {
    const { code, stderr } = await runAgent(['finish', '--data', data]);
    expect(code).toBe(1);
    expect(stderr).toContain('does not run');
  });
});
