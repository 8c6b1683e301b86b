import { availableParallelism, totalmem } from 'node:os';

/** What a volunteer offers. */
export interface WorkerPolicy {
  /** Tasks computed at the same time, one sandbox process each. */
  readonly cores: number;
  /** Memory that one task may use, in MiB. */
  readonly memoryMiB: number;
  /** Work to hold beyond what runs, in milliseconds of all cores. */
  readonly bufferMs: number;
  /** Disk space for inputs and modules, in bytes. */
  readonly cacheBytes: number;
  /** Time between two snapshots of a unit that computes in steps, in milliseconds; a young unit's come sooner. */
  readonly snapshotEveryMs: number;
  /**
   * Computing after which a unit in steps is kept when the worker stops, in milliseconds of a core: fetching inputs and pauses
   * do not count. What less has gone into is returned, since another host has done it again sooner than this one comes back.
   */
  readonly keepAfterMs: number;
}

const MIB = 1024 * 1024;

/** Defaults: all cores, half of the memory shared among them, a minute of work ahead, 4 GiB of cache, a snapshot a minute, units kept after ten seconds. */
export function completePolicy(policy: Partial<WorkerPolicy>): WorkerPolicy {
  const cores = policy.cores ?? availableParallelism();
  return {
    cores,
    memoryMiB: policy.memoryMiB ?? Math.max(64, Math.floor(totalmem() / 2 / cores / MIB)),
    bufferMs: policy.bufferMs ?? 60_000,
    cacheBytes: policy.cacheBytes ?? 4 * 1024 * MIB,
    snapshotEveryMs: policy.snapshotEveryMs ?? 60_000,
    keepAfterMs: policy.keepAfterMs ?? 10_000,
  };
}
