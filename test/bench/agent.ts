/*
 * What the agent costs a volunteer beside the computing itself: the share of a core's time that is spent in the sandbox with
 * units of about 30 s, the memory of the agent's own process, and the CPU of a paused agent.
 * Usage: npm run bench:agent -- [--json] [--units N]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { AgentProcess, runAgent } from '../e2e/agent-support/agent-process.js';
import { steppingModule } from '../e2e/agent-support/long-module.js';
import { agentUsage, statusWhere } from '../e2e/agent-support/running-agent.js';
import { StandInCoordinator } from '../e2e/agent-support/stand-in-coordinator.js';

const UNIT_MS = 30_000;
const PAUSED_MS = 20_000;
const TRIAL_STEPS = 40;
const AIMS = { sandboxShare: 0.97, memoryMiB: 120, pausedCpuShare: 0.005 };

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, units: { type: 'string', default: '2' } },
});
const units = z.coerce.number().int().min(1).max(100).parse(values.units);

const data = await mkdtemp(join(tmpdir(), 'gleaner-bench-agent-'));
await using coordinator = await StandInCoordinator.start();
try {
  await expectSuccess(['attach', coordinator.url, '--anonymous', '--data', data]);
  await using agent = new AgentProcess(
    ['run', '--json', '--always', '--cores', '1', '--buffer', '60', '--data', data],
    { DISPLAY: '' },
  );
  const trialMs = await computedMs(1, TRIAL_STEPS);
  const steps = Math.max(1, Math.round((TRIAL_STEPS * UNIT_MS) / trialMs));
  const before = agentUsage(agent.pid);
  const startedAtMs = performance.now();
  let memoryMiB = before.memoryMiB;
  const watching = setInterval(() => {
    memoryMiB = Math.max(memoryMiB, agentUsage(agent.pid).memoryMiB);
  }, 500);
  const sandboxMs = await computedMs(units, steps);
  clearInterval(watching);
  const wallMs = performance.now() - startedAtMs;
  const ownCpuMs = agentUsage(agent.pid).cpuMs - before.cpuMs;

  await expectSuccess(['pause', '--data', data]);
  await statusWhere(data, ({ phase }) => phase === 'paused');
  // Compiled code and caches of the busy time are gone by then.
  await delay(2_000);
  const pausedFrom = agentUsage(agent.pid);
  await delay(PAUSED_MS);
  const pausedCpuShare = (agentUsage(agent.pid).cpuMs - pausedFrom.cpuMs) / PAUSED_MS;

  const result = {
    units,
    meanUnitMs: Math.round(sandboxMs / units),
    wallMs: Math.round(wallMs),
    /** Wall time of units in the sandbox, of the time from the first unit's request to the last one's report. */
    sandboxShare: round(sandboxMs / wallMs),
    ownCpuShare: round(ownCpuMs / wallMs),
    memoryMiB: Math.round(memoryMiB),
    pausedCpuShare: round(pausedCpuShare),
    aims: AIMS,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${describe(result)}\n`);
} finally {
  await rm(data, { recursive: true, force: true });
}

/** Milliseconds that so many units were in the sandbox, by what the agent reports of them. */
async function computedMs(count: number, steps: number): Promise<number> {
  const from = coordinator.reports.length;
  const module = steppingModule(steps);
  for (let unit = 1; unit <= count; unit++) coordinator.addTask(`${from + unit}.0`, module);
  await coordinator.until(() => coordinator.reports.length >= from + count);
  const reports = coordinator.reports.slice(from);
  const failed = reports.find(({ outcome }) => outcome !== 'ok');
  if (failed) throw new Error(`a unit ended as ${failed.outcome}: ${failed.message ?? ''}`);
  return reports.reduce((sum, { wallMs }) => sum + (wallMs ?? 0), 0);
}

async function expectSuccess(args: readonly string[]): Promise<void> {
  const { code, stderr } = await runAgent(args);
  if (code !== 0) throw new Error(`agent ${args[0] ?? ''} failed: ${stderr}`);
}

function describe(result: {
  sandboxShare: number;
  memoryMiB: number;
  pausedCpuShare: number;
  units: number;
  meanUnitMs: number;
}): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    `${result.units} units of ${(result.meanUnitMs / 1000).toFixed(1)} s`,
    `in the sandbox      ${percent(result.sandboxShare)} of a core's time (aim: at least ${percent(AIMS.sandboxShare)})`,
    `memory beside it    ${result.memoryMiB} MiB (aim: at most ${AIMS.memoryMiB})`,
    `paused              ${percent(result.pausedCpuShare)} of a core (aim: at most ${percent(AIMS.pausedCpuShare)})`,
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
