import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { steppingModule } from './agent-support/long-module.js';
import { eventually, isSandboxStopped, sandboxOf } from './agent-support/running-agent.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';
import { endlessModule } from './agent-support/tiny-modules.js';

let data: string;
let coordinator: StandInCoordinator;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'gleaner-crash-'));
  coordinator = await StandInCoordinator.start();
  await runAgent(['attach', coordinator.url, '--anonymous', '--data', data]);
});
afterEach(async () => {
  await coordinator[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

function startAgent(...more: readonly string[]): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data, ...more]);
}

/** Cycles of the task that runs, when it is so far. */
async function cyclesAt(progressPermille: number): Promise<bigint> {
  const now = () => coordinator.heartbeats.at(-1)?.running[0];
  await coordinator.until(() => (now()?.progressPermille ?? 0) >= progressPermille);
  return BigInt(now()?.cycles ?? 0);
}

// Twice half a minute of a core, at the lowest priority: on a machine that is busy with other things that may be minutes.
it(
  'an agent that is killed in the middle of a unit keeps nine tenths of the work, and the result is the same',
  { timeout: 600_000 },
  async () => {
    const module = steppingModule(400);
    coordinator.addTask('1.0', module);
    await using first = startAgent();
    const doneCycles = await cyclesAt(700);
    first.kill('SIGKILL');
    await first.ended;

    await using second = startAgent();
    await coordinator.until(() => coordinator.reports.length === 1);
    coordinator.addTask('2.0', module);
    await coordinator.until(() => coordinator.reports.length === 2);
    second.kill('SIGTERM');
    const { stdout } = await second.ended;

    const finished = stdout
      .split('\n')
      .filter((line) => line.includes('"task-finished"'))
      .map((line) => JSON.parse(line) as { resumedCycles: string | null });
    expect(finished).toHaveLength(2);
    const keptCycles = BigInt(finished[0]?.resumedCycles ?? 0);
    expect(Number(keptCycles) / Number(doneCycles)).toBeGreaterThanOrEqual(0.9);
    // The second unit was never interrupted.
    expect(finished[1]?.resumedCycles).toBeNull();
    const [interrupted, whole] = coordinator.reports;
    expect(interrupted?.outcome).toBe('ok');
    expect(interrupted?.cycles).toBe(whole?.cycles);
    expect(interrupted?.digest).toBe(whole?.digest);
  },
);

it(
  'a sandbox that is killed in the middle of a unit takes no more with it than what came after its last snapshot',
  { timeout: 600_000 },
  async () => {
    coordinator.addTask('1.0', steppingModule(400));
    await using agent = startAgent();
    await cyclesAt(500);
    const sandbox = await eventually(() => sandboxOf(agent.pid));
    process.kill(sandbox, 'SIGKILL');
    await coordinator.until(() => coordinator.reports.length === 1);
    agent.kill('SIGTERM');
    const { stdout } = await agent.ended;
    const events = stdout.split('\n').filter((line) => line.startsWith('{'));
    const told = (name: string): string => events.find((line) => line.includes(`"${name}"`)) ?? '{}';
    expect(JSON.parse(told('task-continued'))).toMatchObject({
      taskId: '1.0',
      reason: 'the sandbox ended while computing: signal SIGKILL',
    });
    const { resumedCycles } = JSON.parse(told('task-finished')) as { resumedCycles: string };
    expect(BigInt(resumedCycles)).toBeGreaterThan(0n);
    expect(coordinator.reports[0]?.outcome).toBe('ok');
  },
);

it('an agent that is told to stop keeps a unit in steps, even a paused one, and goes on with it at its next start', async () => {
  coordinator.addTask('1.0', steppingModule(2_000));
  coordinator.addTask('2.0', endlessModule());
  await using first = startAgent('--buffer', '0', '--keep-after', '0');
  const lastCycles = (): bigint => BigInt(coordinator.heartbeats.at(-1)?.running[0]?.cycles ?? 0);
  await coordinator.until(() => lastCycles() > 0n);
  expect((await runAgent(['pause', '--data', data])).code).toBe(0);
  await eventually(() => isSandboxStopped(first.pid) || undefined);
  const doneCycles = lastCycles();
  first.kill('SIGTERM');
  const { code, stdout } = await first.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('"task-suspended"');
  expect(coordinator.heartbeats.at(-1)).toMatchObject({
    running: [{ taskId: '1.0' }],
    returned: [],
    leaving: false,
  });

  expect((await runAgent(['resume', '--data', data])).code).toBe(0);
  const told = coordinator.heartbeats.length;
  await using _ = startAgent();
  // A heartbeat before the sandbox has said how far it is has no cycles; the unit's beginning has few.
  await coordinator.until(() => coordinator.heartbeats.length > told && lastCycles() > 0n);
  expect(coordinator.heartbeats.at(-1)?.running[0]?.taskId).toBe('1.0');
  expect(lastCycles()).toBeGreaterThanOrEqual(doneCycles);
});
