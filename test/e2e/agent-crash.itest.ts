import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentProcess, runAgent } from './agent-support/agent-process.js';
import { steppingModule } from './agent-support/long-module.js';
import { StandInCoordinator } from './agent-support/stand-in-coordinator.js';

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

function startAgent(): AgentProcess {
  return new AgentProcess(['run', '--json', '--always', '--cores', '1', '--data', data]);
}

/** Cycles of the task that runs, when it is so far. */
async function cyclesAt(progressPermille: number): Promise<bigint> {
  const now = () => coordinator.heartbeats.at(-1)?.running[0];
  await coordinator.until(() => (now()?.progressPermille ?? 0) >= progressPermille);
  return BigInt(now()?.cycles ?? 0);
}

it('an agent that is killed in the middle of a unit keeps nine tenths of the work, and the result is the same', async () => {
  const module = steppingModule(240);
  coordinator.addTask('1.0', module);
  const first = startAgent();
  const doneCycles = await cyclesAt(700);
  first.kill('SIGKILL');
  await first.ended;

  const second = startAgent();
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
});
