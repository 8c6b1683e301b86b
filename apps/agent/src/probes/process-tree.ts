import { TICK_MS } from './cpu-times.js';
import type { ReadText } from './probe.js';

/** What a process and its descendants use. */
export interface TreeUsage {
  /** Since the root started, at normal priority as `CpuTimes.busyMs`; what ended children used is included. */
  readonly cpuMs: number;
  readonly memoryMiB: number;
}

/** An agent has a few processes a core; far beyond, something else is wrong. */
const MAX_PROCESSES = 4096;
const PAGE_MIB = 4096 / (1024 * 1024);

/** Usage of a process tree by /proc; null where it does not tell. */
export function readProcessTree(root: number, readText: ReadText): TreeUsage | null {
  const waiting = [root];
  let cpuMs = 0;
  let memoryMiB = 0;
  for (let count = 0; count < MAX_PROCESSES; count++) {
    const pid = waiting.pop();
    if (pid === undefined) return { cpuMs, memoryMiB };
    const usage = parseProcessStat(readText(`/proc/${pid}/stat`) ?? '');
    if (usage === null) {
      if (pid === root) return null;
      // It ended meanwhile.
      continue;
    }
    cpuMs += usage.ownMs + usage.endedChildrenMs;
    memoryMiB += usage.residentPages * PAGE_MIB;
    // Node starts child processes on its main thread, so its list is the whole list.
    const children = readText(`/proc/${pid}/task/${pid}/children`) ?? '';
    for (const child of children.trim().split(/\s+/)) if (child !== '') waiting.push(Number(child));
  }
  return null;
}

/** /proc/PID/stat; the name in parentheses may hold anything, so fields count from its end. */
export function parseProcessStat(
  text: string,
): { ownMs: number; endedChildrenMs: number; residentPages: number } | null {
  const end = text.lastIndexOf(')');
  if (end < 0) return null;
  // The first of these is field 3, the state.
  const fields = text
    .slice(end + 2)
    .split(' ')
    .map(Number);
  const field = (number: number): number => fields[number - 3] ?? 0;
  // The kernel counts a low-priority program's own computing as "nice", its system calls as everybody's. Of ended children
  // nothing tells the priority: they were sandboxes.
  const isNice = field(19) > 0;
  return {
    ownMs: ((isNice ? 0 : field(14)) + field(15)) * TICK_MS,
    endedChildrenMs: field(17) * TICK_MS,
    residentPages: field(24),
  };
}

/** Output of `ps -axo pid=,ppid=,rss=,time=` on macOS, where /proc does not exist. */
export function parsePsTree(text: string, root: number): TreeUsage | null {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => /^ *(\d+) +(\d+) +(\d+) +(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, parent, rssKiB, hours, minutes, seconds]) => ({
      pid: Number(pid),
      parent: Number(parent),
      memoryMiB: Number(rssKiB) / 1024,
      cpuMs: ((Number(hours ?? 0) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000,
    }));
  const tree = new Set([root]);
  // Parents stand before their children, but for process ids that were used anew: twice finds those as well.
  for (let pass = 0; pass < 2; pass++) {
    for (const { pid, parent } of rows) if (tree.has(parent)) tree.add(pid);
  }
  const own = rows.filter(({ pid }) => tree.has(pid));
  if (own.length === 0) return null;
  return {
    cpuMs: own.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    memoryMiB: own.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
  };
}
