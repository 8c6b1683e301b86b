import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process and all that it started, and that those started, as process ids. */
export function processTree(pid: number): number[] {
  const parents = [...parentsByPid()];
  const members = [pid];
  // Grows while it is gone through.
  for (const member of members) {
    members.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child));
  }
  return members;
}

/** Process ids of what a process started itself. */
export function childrenOf(pid: number): number[] {
  return [...parentsByPid()].filter(([, parent]) => parent === pid).map(([child]) => child);
}

/** A file of a process's folder in /proc; empty where the process has ended. */
export function processFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** Every process of the machine with its parent: by /proc, and on macOS, which has none, by `ps`. */
function parentsByPid(): ReadonlyMap<number, number> {
  const rows = existsSync('/proc/self/stat')
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        // Behind the name, which may hold anything: the state and the parent.
        .map((pid) => [pid, processFile(Number(pid), 'stat').split(') ').at(-1)?.split(' ')[1]])
    : execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/));
  return new Map(rows.map(([pid, parent]) => [Number(pid), Number(parent)]));
}
