/*
 * What the agent costs a volunteer beside the computing itself: the share of a core's time that is spent in the sandbox with
 * units of about 30 s, the memory of the agent's own process and of its part in the swarm, and the CPU of a paused agent. It
 * talks https and takes part in the swarm, as a volunteer's does, unless told otherwise.
 * Usage: npm run bench:agent -- [--json] [--units N] [--http] [--no-p2p]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { AgentProcess, runAgent } from '../e2e/agent-support/agent-process.js';
import { steppingModule } from '../e2e/agent-support/long-module.js';
import { agentUsage, statusWhere, swarmProcessOf } from '../e2e/agent-support/running-agent.js';
import { StandInCoordinator } from '../e2e/agent-support/stand-in-coordinator.js';
import { TlsAuthority } from '../e2e/agent-support/tls-authority.js';
import { readCommandLine } from '../support/command-line.js';

const DAY_MS = 24 * 3600 * 1000;
const UNIT_MS = 30_000;
const PAUSED_MS = 20_000;
const TRIAL_STEPS = 40;
const AIMS = { sandboxShare: 0.97, memoryMiB: 120, pausedCpuShare: 0.005 };

const { values } = readCommandLine({
  start: 'npm run bench:agent',
  purpose: 'What the agent costs a volunteer beside the computing itself.',
  options: {
    units: { type: 'string', default: '2', help: 'units of about 30 s that it computes' },
    http: { type: 'boolean', default: false, help: 'plain http instead of https' },
    'no-p2p': { type: 'boolean', default: false, help: 'without a part in the swarm' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
});
const units = z.coerce.number().int().min(1).max(100).parse(values.units);

const data = await mkdtemp(join(tmpdir(), 'gleaner-bench-agent-'));
const authority = new TlsAuthority();
const authorityPath = join(data, 'authority.pem');
await writeFile(authorityPath, authority.certificate);
const environment = { DISPLAY: '', NODE_EXTRA_CA_CERTS: authorityPath };
const identity = values.http ? undefined : authority.serverFrom(-DAY_MS, DAY_MS);
const p2p = !values['no-p2p'];
await using coordinator = await StandInCoordinator.start('bench', identity);
try {
  const consent = p2p ? '--p2p' : '--no-p2p';
  await expectSuccess(['attach', coordinator.url, '--anonymous', consent, '--data', data]);
  await using agent = new AgentProcess(
    ['run', '--json', '--always', '--cores', '1', '--buffer', '60', '--data', data],
    environment,
  );
  if (p2p) await statusWhere(data, ({ swarm }) => swarm?.state === 'on');
  const trialMs = await computedMs(1, TRIAL_STEPS);
  const steps = Math.max(1, Math.round((TRIAL_STEPS * UNIT_MS) / trialMs));
  const before = usage(agent.pid);
  const startedAtMs = performance.now();
  let memoryMiB = before.memoryMiB;
  let swarmMemoryMiB = before.swarmMemoryMiB;
  let ownMiB = before.ownMemoryMiB;
  const watching = setInterval(() => {
    const now = usage(agent.pid);
    memoryMiB = Math.max(memoryMiB, now.memoryMiB);
    swarmMemoryMiB = Math.max(swarmMemoryMiB, now.swarmMemoryMiB);
    ownMiB = Math.max(ownMiB, now.ownMemoryMiB);
  }, 500);
  const sandboxMs = await computedMs(units, steps);
  clearInterval(watching);
  const wallMs = performance.now() - startedAtMs;
  const ownCpuMs = usage(agent.pid).cpuMs - before.cpuMs;

  await expectSuccess(['pause', '--data', data]);
  await statusWhere(data, ({ phase }) => phase === 'paused');
  // Compiled code and caches of the busy time are gone by then.
  await delay(2_000);
  const pausedFrom = usage(agent.pid);
  await delay(PAUSED_MS);
  const pausedCpuShare = (usage(agent.pid).cpuMs - pausedFrom.cpuMs) / PAUSED_MS;

  const result = {
    transport: values.http ? 'http' : 'https',
    p2p,
    units,
    meanUnitMs: Math.round(sandboxMs / units),
    wallMs: Math.round(wallMs),
    /** Wall time of units in the sandbox, of the time from the first unit's request to the last one's report. */
    sandboxShare: round(sandboxMs / wallMs),
    /** CPU of agent and swarm for each second that is computed: what is left of a core that they share, whoever else uses it. */
    cpuBesideShare: round(ownCpuMs / sandboxMs),
    ownCpuShare: round(ownCpuMs / wallMs),
    memoryMiB: Math.round(memoryMiB),
    /** Of the process that exchanges inputs with other volunteers, where it takes part. */
    swarmMemoryMiB: Math.round(swarmMemoryMiB),
    /** Of both, where what they share with each other and the sandbox counts in parts. */
    ownMemoryMiB: Math.round(ownMiB),
    pausedCpuShare: round(pausedCpuShare),
    aims: AIMS,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${describe(result)}\n`);
} finally {
  await rm(data, { recursive: true, force: true });
}

/** Of the agent, and of its part in the swarm. */
function usage(agentPid: number) {
  const agent = agentUsage(agentPid);
  const swarmPid = swarmProcessOf(agentPid);
  const swarm = swarmPid === undefined ? { cpuMs: 0, memoryMiB: 0 } : agentUsage(swarmPid);
  return {
    cpuMs: agent.cpuMs + swarm.cpuMs,
    memoryMiB: agent.memoryMiB,
    swarmMemoryMiB: swarm.memoryMiB,
    ownMemoryMiB: ownMemoryMiB(agentPid) + (swarmPid === undefined ? 0 : ownMemoryMiB(swarmPid)),
  };
}

/** Memory of a process in which what it shares with others, such as Node's program, counts in parts. */
function ownMemoryMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024;
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
  const { code, stderr } = await runAgent(args, environment);
  if (code !== 0) throw new Error(`agent ${args[0] ?? ''} failed: ${stderr}`);
}

function describe(result: {
  sandboxShare: number;
  memoryMiB: number;
  swarmMemoryMiB: number;
  pausedCpuShare: number;
  units: number;
  meanUnitMs: number;
}): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    `${result.units} units of ${(result.meanUnitMs / 1000).toFixed(1)} s`,
    `in the sandbox      ${percent(result.sandboxShare)} of a core's time (aim: at least ${percent(AIMS.sandboxShare)})`,
    `memory beside it    ${result.memoryMiB} MiB (aim: at most ${AIMS.memoryMiB}), and ${result.swarmMemoryMiB} MiB of the swarm's process`,
    `paused              ${percent(result.pausedCpuShare)} of a core (aim: at most ${percent(AIMS.pausedCpuShare)})`,
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
