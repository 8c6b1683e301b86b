import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BlobWindows,
  type ChunkSupply,
  type ContentCache,
  type HttpOriginSource,
  type PinnedContent,
} from '@gleaner/swarm';
import type { ChunkStore } from '@gleaner/swarm/store';
import type { InputContent, RunOptions, UnitResult } from '@gleaner/sandbox/runner';
import type { ComputeAllowance } from './compute-allowance.js';
import { Deadline } from './deadline.js';
import type { HeldTask } from './held-task.js';
import { infrastructureResult } from './result-report.js';
import type { SandboxPool } from './sandbox-pool.js';
import { sentenceOf } from './sentence-of.js';
import type { TaskRunner, TaskRunOptions } from './task-runner.js';
import { unitToRun, windowOf } from './unit-to-run.js';

export interface SandboxedTaskRunnerComponents {
  /** Modules and manifests. */
  readonly cache: ContentCache;
  /** Chunks of inputs, shared with the swarm. */
  readonly store: ChunkStore;
  readonly supply: ChunkSupply;
  readonly source: HttpOriginSource;
  readonly sandboxes: SandboxPool;
}

export interface SandboxedTaskRunnerInit {
  readonly runtimeVersions: readonly string[];
  /** Where snapshots of stepping units lie; the same as the sandboxes' own. */
  readonly checkpointDirectory: string;
  /** Most time between two snapshots of a unit, in milliseconds; a minute when left out. */
  readonly checkpointEveryMs?: number;
}

const SNAPSHOT_SUFFIX = '.snapshot';

/** Fetches modules through the cache and input windows through the chunk store, and runs the unit in a sandbox process. */
export class SandboxedTaskRunner implements TaskRunner {
  readonly #windows: BlobWindows;

  constructor(
    private readonly components: SandboxedTaskRunnerComponents,
    private readonly init: SandboxedTaskRunnerInit,
  ) {
    const { cache, store, supply, source } = components;
    this.#windows = new BlobWindows({ cache, store, supply, manifests: source });
  }

  async run(held: HeldTask, options: TaskRunOptions): Promise<UnitResult> {
    const { runtimeVersion } = held.job.app;
    if (!this.init.runtimeVersions.includes(runtimeVersion)) {
      return infrastructureResult(`this agent has no sandbox ${runtimeVersion}: update it`);
    }
    // A result after the deadline is of no use, so neither is a download.
    const deadline = new Deadline(options.signal, options.leftMs);
    const { signal, leftMs } = deadline;
    try {
      using opened = new DisposableStack();
      const module = opened.use(await this.#module(held, signal));
      const inputs: Record<string, InputContent> = {};
      for (const [name, location] of Object.entries(held.job.inputs)) {
        const request = { location, ...windowOf(held, name) };
        const window = opened.use(await this.#windows.open(request, signal));
        inputs[name] = { kind: 'files', pieces: window.pieces };
      }
      const unit = unitToRun(held, inputs, { kind: 'file', path: module.path }, leftMs);
      const runOptions = { ...options, ...this.#checkpoint(held) };
      return await this.components.sandboxes.run(unit, runOptions, options.computing);
    } catch (error) {
      options.signal.throwIfAborted();
      if (options.suspend?.aborted && error === options.suspend.reason) throw error;
      if (signal.aborted) return infrastructureResult('its deadline passed before its inputs had come');
      return infrastructureResult(sentenceOf(error));
    } finally {
      deadline.end();
    }
  }

  async prefetch(held: HeldTask, signal: AbortSignal): Promise<void> {
    using _ = await this.#module(held, signal);
    for (const [name, location] of Object.entries(held.job.inputs)) {
      // Opened and let go: what was fetched stays in the store as long as there is room.
      (await this.#windows.open({ location, ...windowOf(held, name) }, signal))[Symbol.dispose]();
    }
  }

  async kept(taskIds: readonly string[]): Promise<string[]> {
    const names = new Set(await readdir(this.init.checkpointDirectory));
    return taskIds.filter((taskId) => names.has(taskId + SNAPSHOT_SUFFIX));
  }

  async retain(taskIds: readonly string[]): Promise<void> {
    const { checkpointDirectory } = this.init;
    const kept = new Set(taskIds);
    for (const name of await readdir(checkpointDirectory)) {
      // What a running task's sandbox is just writing has an ending behind the name of its snapshot.
      const [taskId = ''] = name.split(SNAPSHOT_SUFFIX);
      if (!kept.has(taskId)) await rm(join(checkpointDirectory, name), { force: true });
    }
  }

  allow(allowance: ComputeAllowance): void {
    this.components.sandboxes.allow(allowance);
  }

  async close(): Promise<void> {
    await this.components.sandboxes.close();
  }

  /** Only stepping apps have moments at which their state can be kept. */
  #checkpoint({ task, job }: HeldTask): Pick<RunOptions, 'checkpoint'> {
    if (!job.app.stepping) return {};
    const path = join(this.init.checkpointDirectory, task.taskId + SNAPSHOT_SUFFIX);
    const { checkpointEveryMs: everyMs } = this.init;
    return { checkpoint: { path, ...(everyMs !== undefined && { everyMs }) } };
  }

  async #module({ job }: HeldTask, signal: AbortSignal): Promise<PinnedContent> {
    const { cache, source } = this.components;
    const { moduleSha256, moduleUrl } = job.app;
    const cached = await cache.pin(moduleSha256);
    if (cached) return cached;
    return cache.put(moduleSha256, await source.fetchFile(moduleUrl, moduleSha256, signal));
  }
}
