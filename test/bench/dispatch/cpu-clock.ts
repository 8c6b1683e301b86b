import { readdir, readFile } from 'node:fs/promises';

/** Linux reports processor time in hundredths of a second. */
const TICK_US = 10_000;

interface ProcessTimes {
  readonly parent: number;
  /** Of the process itself and of its children that have ended, in microseconds. */
  readonly us: number;
}

/** Processor time that a process and all its descendants have used so far, in microseconds. Linux only. */
export async function cpuTimeUs(pid: number): Promise<number> {
  const times = new Map<number, ProcessTimes>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const read = await readTimes(Number(name));
    if (read) times.set(Number(name), read);
  }
  let total = 0;
  const queue = [pid];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    total += times.get(next)?.us ?? 0;
    for (const [child, { parent }] of times) if (parent === next) queue.push(child);
  }
  return total;
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
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), us: ticks * TICK_US };
}
