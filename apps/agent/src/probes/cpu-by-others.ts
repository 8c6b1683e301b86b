import type { CpuTimes } from './cpu-times.js';
import type { Probe } from './probe.js';

export interface CpuSample {
  readonly atMs: number;
  readonly all: CpuTimes;
  /** CPU time of this agent and its sandboxes, in milliseconds. */
  readonly ownMs: number;
}

/** Over how long the share is taken: shorter, and every web page that loads would pause the agent. */
const WINDOW_MS = 10_000;

/** Share (0 to 1) of all cores that other programs used between two samples; null when no time has passed. */
export function shareOfOthers(from: CpuSample, to: CpuSample): number | null {
  const totalMs = to.all.totalMs - from.all.totalMs;
  if (totalMs <= 0) return null;
  const busyMs = to.all.busyMs - from.all.busyMs;
  const ownMs = Math.max(0, to.ownMs - from.ownMs);
  return Math.min(1, Math.max(0, (busyMs - ownMs) / totalMs));
}

/** CPU that programs other than this agent used within the last ten seconds. */
export class CpuByOthers implements Probe<number> {
  #samples: CpuSample[] = [];

  /** @param sample counters at this moment, null where the machine does not tell them */
  constructor(private readonly sample: () => CpuSample | null) {}

  read(): number | null {
    const latest = this.sample();
    if (latest === null) return null;
    this.#samples.push(latest);
    // The newest sample that is older than the window stays: it is where the window begins.
    while ((this.#samples[1]?.atMs ?? Infinity) <= latest.atMs - WINDOW_MS) this.#samples.shift();
    // A clock that was set back leaves samples of the future.
    this.#samples = this.#samples.filter(({ atMs }) => atMs <= latest.atMs);
    const [first] = this.#samples;
    return first ? shareOfOthers(first, latest) : null;
  }
}
