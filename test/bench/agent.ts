/*
 * What the agent costs a volunteer beside the computing itself: the share of a core's time that is spent in the sandbox with
 * units of about 30 s, the memory of all its processes but the sandbox, and their CPU in a pause. It is the agent that
 * volunteers install, talks https and takes part in the swarm, unless told otherwise.
 * Usage: npm run bench:agent -- [--json] [--units N] [--http] [--no-p2p]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentProcess, runAgent } from '../e2e/agent-support/agent-process.js';
import { steppingModule } from '../e2e/agent-support/long-module.js';
import { unpackedAgent } from '../e2e/agent-support/packed-agent.js';
import { agentUsage, statusWhere, type AgentUsage } from '../e2e/agent-support/running-agent.js';
import { StandInCoordinator } from '../e2e/agent-support/stand-in-coordinator.js';
import { TlsAuthority } from '../e2e/agent-support/tls-authority.js';
import { readCommandLine, wholeNumber } from '../support/command-line.js';

const DAY_MS = 24 * 3600 * 1000;
const UNIT_MS = 30_000;
const PAUSED_MS = 20_000;
const PAUSED_PARTS = 3;
const TRIAL_STEPS = 40;
/** As a coordinator says it to an agent; only to begin with, this one is in a hurry. */
const REAL_PACE = { retryAfterMs: 5_000, heartbeatMs: 300_000 };
const AIMS = { sandboxShare: 0.97, memoryMiB: 120, pausedCpuShare: 0.005 };

const COMMAND = {
  start: 'npm run bench:agent',
  purpose: 'What the agent costs a volunteer beside the computing itself.',
  options: {
    units: { type: 'string', default: '2', help: 'units of about 30 s that it computes' },
    http: { type: 'boolean', default: false, help: 'plain http instead of https' },
    'no-p2p': { type: 'boolean', default: false, help: 'without a part in the swarm' },
    json: { type: 'boolean', default: false, help: 'print one line of JSON' },
  },
} as const;
const { values } = readCommandLine(COMMAND);
const units = wholeNumber(COMMAND, 'units', values.units, { min: 1, max: 100 });

const directory = await mkdtemp(join(tmpdir(), 'gleaner-bench-agent-'));
const data = join(directory, 'data');
const command = await unpackedAgent(directory);
const authority = new TlsAuthority();
const authorityPath = join(directory, 'authority.pem');
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
    command,
  );
  if (p2p) await statusWhere(data, ({ swarm }) => swarm?.state === 'on');
  const trialMs = await computedMs(1, TRIAL_STEPS);
  const steps = Math.max(1, Math.round((TRIAL_STEPS * UNIT_MS) / trialMs));
  const before = agentUsage(agent.pid);
  const startedAtMs = performance.now();
  let most = before;
  const watching = setInterval(() => {
    const now = agentUsage(agent.pid);
    if (now.memoryMiB > most.memoryMiB) most = now;
  }, 500);
  coordinator.pace = REAL_PACE;
  const computing = computedMs(units, steps);
  // What is there to be paused afterwards.
  coordinator.addTask(`${units + 2}.0`, steppingModule(100 * steps));
  const sandboxMs = await computing;
  clearInterval(watching);
  const wallMs = performance.now() - startedAtMs;
  const ownCpuMs = agentUsage(agent.pid).cpuMs - before.cpuMs;

  await statusWhere(data, ({ running }) => running.length > 0);
  await expectSuccess(['pause', '--data', data]);
  await statusWhere(data, ({ phase }) => phase === 'paused');
  const pausedCpuShares: number[] = [];
  for (let part = 0; part < PAUSED_PARTS; part += 1) {
    const from = { cpuMs: agentUsage(agent.pid).cpuMs, atMs: performance.now() };
    await delay(PAUSED_MS);
    const cpuMs = agentUsage(agent.pid).cpuMs - from.cpuMs;
    pausedCpuShares.push(cpuMs / (performance.now() - from.atMs));
  }
  const paused = agentUsage(agent.pid);

  const result = {
    transport: values.http ? 'http' : 'https',
    p2p,
    units,
    meanUnitMs: Math.round(sandboxMs / units),
    wallMs: Math.round(wallMs),
    /** Wall time of units in the sandbox, of the time from the first unit's request to the last one's report. */
    sandboxShare: round(sandboxMs / wallMs),
    /** CPU of everything beside the sandbox for each second that is computed: what is left of a core that they share, whoever else uses it. */
    cpuBesideShare: round(ownCpuMs / sandboxMs),
    ownCpuShare: round(ownCpuMs / wallMs),
    ...memoryFigures(most),
    paused: {
      /** From the pause on, a part of the time after the other. */
      cpuShares: pausedCpuShares.map(round),
      ...memoryFigures(paused),
    },
    aims: AIMS,
  };
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else process.stdout.write(`${describe(result)}\n`);
} finally {
  await rm(directory, { recursive: true, force: true });
}

interface MemoryFigures {
  readonly memoryMiB: number;
  readonly proportionalMiB: number;
  readonly agentResidentMiB: number;
  readonly swarmResidentMiB: number;
}

interface Measured extends MemoryFigures {
  readonly units: number;
  readonly meanUnitMs: number;
  readonly sandboxShare: number;
  readonly paused: MemoryFigures & { readonly cpuShares: readonly number[] };
}

/** Of the agent and its part in the swarm, at the moment when they had most. */
function memoryFigures({ memoryMiB, proportionalMiB, residentMiB }: AgentUsage): MemoryFigures {
  return {
    memoryMiB: Math.round(memoryMiB),
    proportionalMiB: Math.round(proportionalMiB),
    agentResidentMiB: Math.round(residentMiB.agent),
    swarmResidentMiB: Math.round(residentMiB.swarm),
  };
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
  const { code, stderr } = await runAgent(args, environment, command);
  if (code !== 0) throw new Error(`agent ${args[0] ?? ''} failed: ${stderr}`);
}

function describe(measured: Measured): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const { memoryMiB, proportionalMiB, agentResidentMiB, swarmResidentMiB, paused } = measured;
  return [
    `${measured.units} units of ${(measured.meanUnitMs / 1000).toFixed(1)} s`,
    `in the sandbox      ${percent(measured.sandboxShare)} of a core's time (aim: at least ${percent(AIMS.sandboxShare)})`,
    `memory beside it    ${memoryMiB} MiB (aim: at most ${AIMS.memoryMiB}); ${proportionalMiB} MiB as the kernel divides what is shared`,
    `                    resident: agent ${agentResidentMiB} MiB, swarm ${swarmResidentMiB} MiB`,
    `paused              ${paused.cpuShares.map(percent).join(', ')} of a core (aim: at most ${percent(AIMS.pausedCpuShare)}), ${paused.memoryMiB} MiB`,
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
