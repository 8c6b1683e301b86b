import { freemem, totalmem } from 'node:os';
import type { ReadText } from './probe.js';

const MIB = 1024 * 1024;

export interface MemoryReading {
  readonly totalMiB: number;
  /** What programs can have without anything being swapped out. */
  readonly availableMiB: number;
}

/** /proc/meminfo; null when it is not one. */
export function parseMeminfo(text: string): MemoryReading | null {
  const kib = (name: string): number | undefined => {
    const match = new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text);
    return match ? Number(match[1]) : undefined;
  };
  const total = kib('MemTotal');
  const available = kib('MemAvailable');
  if (total === undefined || available === undefined) return null;
  return { totalMiB: total / 1024, availableMiB: available / 1024 };
}

export function readMemory(readText: ReadText): MemoryReading {
  const told = parseMeminfo(readText('/proc/meminfo') ?? '');
  return told ?? { totalMiB: totalmem() / MIB, availableMiB: freemem() / MIB };
}
