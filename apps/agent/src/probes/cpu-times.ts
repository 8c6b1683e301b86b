import { cpus } from 'node:os';
import type { ReadText } from './probe.js';
import { currentSystem } from './system.js';

/** Counters since some moment in the past, in milliseconds of one core. */
export interface CpuTimes {
  /** Computing at normal priority, of all cores together: what runs below it disturbs nobody. */
  readonly busyMs: number;
  /** Computing or not. */
  readonly totalMs: number;
}

/** Linux counts in hundredths of a second, whatever the kernel's own tick. */
export const TICK_MS = 10;

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal (guest time is part of user). */
export function parseProcStat(text: string): CpuTimes | null {
  const match = /^cpu +([\d ]+)$/m.exec(text);
  if (!match) return null;
  const ticks = (match[1] ?? '').split(' ').map(Number);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = ticks;
  const busy = user + system + irq + softirq;
  // Stolen time is another machine's: nobody here uses it, and nobody here could.
  return { busyMs: busy * TICK_MS, totalMs: (busy + nice + idle + iowait + steal) * TICK_MS };
}

export function readCpuTimes(readText: ReadText): CpuTimes | null {
  if (currentSystem() === 'linux') return parseProcStat(readText('/proc/stat') ?? '');
  const times = cpus().map((core) => core.times);
  const busyMs = times.reduce((sum, { user, sys, irq }) => sum + user + sys + irq, 0);
  const totalMs = times.reduce((sum, { idle, nice }) => sum + idle + nice, busyMs);
  return totalMs === 0 ? null : { busyMs, totalMs };
}
