import { readdir, readFile } from 'node:fs/promises';

/** Linux reports processor time in hundredths of a second. */
const TICK_US = 10_000;

interface ProcessTimes {
  readonly parent: number;
  /** Of the process itself, in microseconds. */
  readonly ownUs: number;
  /** Of its children that have ended. */
  readonly endedUs: number;
}

/** Processor time that a process and all its descendants have used so far, in microseconds. Linux only. */
export async function cpuTimeUs(pid: number): Promise<number> {
  let total = 0;
  for (const { ownUs, endedUs } of (await family(pid)).values()) total += ownUs + endedUs;
  return total;
}

/** The same of a Postgres server, by what its processes are for, as their titles say: `walwriter`, `connections`, … */
export async function postgresTimesUs(pid: number, user: string): Promise<ReadonlyMap<string, number>> {
  const totals = new Map<string, number>();
  const add = (kind: string, us: number): void => void totals.set(kind, (totals.get(kind) ?? 0) + us);
  for (const [each, { ownUs, endedUs }] of await family(pid)) {
    const title = await readFile(`/proc/${each}/cmdline`, 'utf8').catch(() => '');
    const purpose = /^postgres: ([a-z]+)/.exec(title)?.[1] ?? 'postmaster';
    add(purpose === user ? 'connections' : purpose, ownUs);
    add('ended', endedUs);
  }
  return totals;
}

/** A process and its descendants, by their ids. */
async function family(pid: number): Promise<ReadonlyMap<number, ProcessTimes>> {
  const times = new Map<number, ProcessTimes>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const read = await readTimes(Number(name));
    if (read) times.set(Number(name), read);
  }
  const members = new Map<number, ProcessTimes>();
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const own = times.get(next);
    if (own) members.set(next, own);
    for (const [child, { parent }] of times) if (parent === next) queue.push(child);
  }
  return members;
}

/** Fields of proc(5)'s stat: 4 is the parent, 14 to 17 are utime, stime, cutime, cstime. */
async function readTimes(pid: number): Promise<ProcessTimes | null> {
  let text;
  try {
    text = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // It has ended meanwhile.
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
  return {
    parent: Number(fields[1]),
    ownUs: (user + system) * TICK_US,
    endedUs: (endedUser + endedSystem) * TICK_US,
  };
}
