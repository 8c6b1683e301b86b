import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setInterval as ticks } from 'node:timers/promises';
import { join } from 'node:path';
import { agentStatus, type AgentStatus } from '@gleaner/agent';
import { childrenOf, processFile, processTree } from '../../support/index.js';

/** Below what a test may take, so that it is told what was seen instead of that time is up. */
export const LONGEST_WAIT_MS = 100_000;

/** Resolves with the first value that the look gives; looks again and again until then. Throws with what was seen instead. */
export async function eventually<T>(
  look: () => T | undefined,
  seen: () => unknown = () => 'nothing',
): Promise<T> {
  const deadlineMs = performance.now() + LONGEST_WAIT_MS;
  for await (const _ of ticks(50)) {
    const value = look();
    if (value !== undefined) return value;
    if (performance.now() > deadlineMs) break;
  }
  throw new Error(`not within ${LONGEST_WAIT_MS / 1000} s; seen last: ${JSON.stringify(seen())}`);
}

/** The status that the agent of a data directory keeps, as soon as it is such a one. */
export async function statusWhere(
  data: string,
  holds: (status: AgentStatus) => boolean,
): Promise<AgentStatus> {
  return eventually(
    () => {
      const status = readStatus(data);
      return status && holds(status) ? status : undefined;
    },
    () => readStatus(data),
  );
}

/** Whether every thread of an agent's sandbox process is stopped where it is; undefined while there is none. */
export function isSandboxStopped(agentPid: number): boolean | undefined {
  const sandbox = sandboxOf(agentPid);
  if (sandbox === undefined) return undefined;
  const threads = entriesOf(`/proc/${sandbox}/task`);
  // The field after the name: T is stopped by a signal.
  return (
    threads.length > 0 &&
    threads.every(
      (id) => processFile(sandbox, `task/${id}/stat`).split(') ').at(-1)?.startsWith('T ') === true,
    )
  );
}

/** CPU time of an agent's sandbox process since it started, in milliseconds; undefined while there is none. */
export function sandboxCpuMs(agentPid: number): number | undefined {
  const sandbox = sandboxOf(agentPid);
  return sandbox === undefined ? undefined : cpuMsOf(sandbox);
}

/** Process id of an agent's sandbox; undefined while there is none. */
export function sandboxOf(agentPid: number): number | undefined {
  return childrenOf(agentPid).find((pid) => processFile(pid, 'cmdline').includes('node-child'));
}

/** Kills an agent's sandbox, and every one that takes its place, until it is disposed. */
export function killingSandboxesOf(agentPid: number): Disposable {
  const timer = setInterval(() => {
    const sandbox = sandboxOf(agentPid);
    try {
      if (sandbox !== undefined) process.kill(sandbox, 'SIGKILL');
    } catch {
      // It was faster.
    }
  }, 200);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
    },
  };
}

/** Process id of an agent's part in the swarm; undefined while there is none. */
export function swarmProcessOf(agentPid: number): number | undefined {
  return childrenOf(agentPid).find((pid) => processFile(pid, 'cmdline').includes('swarm-child'));
}

/** TCP ports that a process listens on, by /proc. */
export function listeningPorts(pid: number): number[] {
  const sockets = new Set(socketInodes(pid));
  const rows = [...tableRows(pid, 'net/tcp'), ...tableRows(pid, 'net/tcp6')];
  // Columns: number, local address, remote address, state (0A listens), …, inode.
  const ports = rows
    .filter((columns) => columns[3] === '0A' && sockets.has(columns[9] ?? ''))
    .map((columns) => Number.parseInt(columns[1]?.split(':')[1] ?? '', 16));
  return [...new Set(ports)];
}

/** What a process was given at its start, as text: command line and environment. */
export function startedWith(pid: number): string {
  return processFile(pid, 'cmdline') + processFile(pid, 'environ');
}

function tableRows(pid: number, name: string): string[][] {
  const lines = processFile(pid, name).trim().split('\n').slice(1);
  return lines.map((line) => line.trim().split(/\s+/));
}

function socketInodes(pid: number): string[] {
  return entriesOf(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
    } catch {
      // Closed while we looked.
      return [];
    }
  });
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // The process has just ended.
    return [];
  }
}

/** What an agent and all its processes but sandboxes use, by /proc. */
export interface AgentUsage {
  /** Since each of them started, that of helpers that have ended included. */
  readonly cpuMs: number;
  /** Memory of all of them together: their own, and what they share with each other or anybody, such as Node's program, once. */
  readonly memoryMiB: number;
  /** The same as the kernel counts it: of what processes share, each has an equal part. */
  readonly proportionalMiB: number;
  /** Resident memory of each, what it shares included. */
  readonly residentMiB: { readonly agent: number; readonly swarm: number };
}

export function agentUsage(agentPid: number): AgentUsage {
  const sandbox = sandboxOf(agentPid);
  const swarm = swarmProcessOf(agentPid);
  const sandboxTree = sandbox === undefined ? [] : processTree(sandbox);
  const pids = processTree(agentPid).filter((pid) => !sandboxTree.includes(pid));
  const memory = pids.map(memoryOf);
  return {
    cpuMs: sum(pids.map(cpuMsOf)),
    memoryMiB: sum(memory.map((one) => one.ownMiB)) + Math.max(...memory.map((one) => one.sharedMiB)),
    proportionalMiB: sum(memory.map((one) => one.proportionalMiB)),
    residentMiB: {
      agent: memoryOf(agentPid).residentMiB,
      swarm: swarm === undefined ? 0 : memoryOf(swarm).residentMiB,
    },
  };
}

function cpuMsOf(pid: number): number {
  const fields = processFile(pid, 'stat').split(') ')[1]?.split(' ').map(Number) ?? [];
  // Fields 14 to 17 of /proc/PID/stat, in hundredths of a second: its own, and those of its ended children.
  return sum(fields.slice(11, 15)) * 10;
}

/** What is of files is shared by all that run the same program; the rest is a process's own. */
function memoryOf(pid: number) {
  const text = processFile(pid, 'smaps_rollup');
  const mebibytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) / 1024;
  const [residentMiB, ownMiB] = [mebibytes('Rss'), mebibytes('Anonymous')];
  return { residentMiB, ownMiB, sharedMiB: residentMiB - ownMiB, proportionalMiB: mebibytes('Pss') };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function readStatus(data: string): AgentStatus | undefined {
  try {
    return agentStatus.parse(JSON.parse(readFileSync(join(data, 'status.json'), 'utf8')));
  } catch {
    // Not written yet.
    return undefined;
  }
}
