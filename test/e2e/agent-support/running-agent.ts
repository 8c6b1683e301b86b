import { readdirSync, readFileSync } from 'node:fs';
import { setInterval as ticks } from 'node:timers/promises';
import { join } from 'node:path';
import { agentStatus, type AgentStatus } from '@gleaner/agent';

/** Resolves with the first value that the look gives; looks again and again until then. */
export async function eventually<T>(look: () => T | undefined): Promise<T> {
  for await (const _ of ticks(50)) {
    const value = look();
    if (value !== undefined) return value;
  }
  throw new Error('the interval ended');
}

/** The status that the agent of a data directory keeps, as soon as it is such a one. */
export async function statusWhere(
  data: string,
  holds: (status: AgentStatus) => boolean,
): Promise<AgentStatus> {
  return eventually(() => {
    const status = readStatus(data);
    return status && holds(status) ? status : undefined;
  });
}

/** Whether the sandbox process of an agent is stopped where it is; undefined while there is none. */
export function isSandboxStopped(agentPid: number): boolean | undefined {
  const sandbox = childrenOf(agentPid).find((pid) => processFile(pid, 'cmdline').includes('node-child'));
  // Field 3 of /proc/PID/stat: T is stopped by a signal.
  return sandbox === undefined ? undefined : / T /.test(processFile(sandbox, 'stat'));
}

/** CPU time of an agent without its sandboxes, and memory of its process, by /proc. */
export function agentUsage(agentPid: number): { cpuMs: number; memoryMiB: number } {
  const fields = processFile(agentPid, 'stat').split(') ')[1]?.split(' ').map(Number) ?? [];
  const rssKiB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(processFile(agentPid, 'status'))?.[1]);
  return { cpuMs: ((fields[11] ?? 0) + (fields[12] ?? 0)) * 10, memoryMiB: rssKiB / 1024 };
}

function readStatus(data: string): AgentStatus | undefined {
  try {
    return agentStatus.parse(JSON.parse(readFileSync(join(data, 'status.json'), 'utf8')));
  } catch {
    // Not written yet.
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => Number(processFile(child, 'stat').split(') ')[1]?.split(' ')[1]) === pid);
}

function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
