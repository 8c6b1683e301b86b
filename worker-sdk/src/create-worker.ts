import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { backoffDelayMs } from '@gleaner/domain';
import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { ContentCache, HttpOriginSource } from '@gleaner/swarm';
import { CoordinatorClient } from './coordinator-client.js';
import { FileTaskStore } from './file-task-store.js';
import { completePolicy, type WorkerPolicy } from './policy.js';
import { SandboxPool } from './sandbox-pool.js';
import { SandboxedTaskRunner } from './sandboxed-task-runner.js';
import { Worker } from './worker.js';

/** While the origin is away: half a second to a minute, twenty times, in all about a quarter of an hour. */
const DOWNLOAD_BACKOFF = { baseMs: 500, maxMs: 60_000 };
const DOWNLOAD_ATTEMPTS = 20;

export interface CreateWorkerOptions {
  /** URL of the coordinator. */
  readonly coordinator: string | URL;
  /** The host's own token, from {@link attachHost}. */
  readonly credentials: { readonly token: string };
  /** Directory for inputs, tasks in progress and unacknowledged results; one worker at a time. */
  readonly dataDirectory: string;
  readonly policy?: Partial<WorkerPolicy>;
  /** Ask for work once, compute and report it, then stop. */
  readonly once?: boolean;
}

/**
 * A volunteer worker for Node: `const worker = await createWorker({…}); await worker.start(); … await worker.stop();`
 *
 * @throws {TypeError} when the coordinator's URL is none
 */
export async function createWorker(options: CreateWorkerOptions): Promise<Worker> {
  const policy = completePolicy(options.policy ?? {});
  const client = new CoordinatorClient({
    baseUrl: new URL(options.coordinator),
    token: options.credentials.token,
  });
  const cacheDirectory = resolve(options.dataDirectory, 'cache');
  const checkpointDirectory = resolve(options.dataDirectory, 'snapshots');
  await mkdir(checkpointDirectory, { recursive: true, mode: 0o700 });
  const cache = await ContentCache.open({ directory: cacheDirectory, quotaBytes: policy.cacheBytes });
  const source = new HttpOriginSource({
    baseUrl: client.baseUrl,
    credentials: () => client.credentials(),
    retryDelayMs: (attempt) => backoffDelayMs(attempt + 1, DOWNLOAD_BACKOFF, Math.random()),
    attempts: DOWNLOAD_ATTEMPTS,
  });
  const runtimeVersions = [RUNTIME_VERSION];
  const sandboxes = new SandboxPool({ readableDirectories: [cacheDirectory], checkpointDirectory });
  const runner = new SandboxedTaskRunner(
    { cache, source, sandboxes },
    { runtimeVersions, checkpointDirectory, checkpointEveryMs: policy.snapshotEveryMs },
  );
  const store = new FileTaskStore(options.dataDirectory);
  return new Worker(
    { client, store, runner, random: Math.random },
    { policy, runtimeVersions, ...(options.once && { once: true }) },
  );
}
