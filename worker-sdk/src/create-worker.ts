import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { backoffDelayMs } from '@gleaner/domain';
import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { ContentCache, HttpOriginSource } from '@gleaner/swarm';
import { ChunkStore } from '@gleaner/swarm/store';
import { CoordinatorClient } from './coordinator-client.js';
import { CoordinatorKey } from './coordinator-key.js';
import { DeferredWorker } from './deferred-worker.js';
import { FileTaskStore } from './file-task-store.js';
import { completePolicy, type WorkerPolicy } from './policy.js';
import { SandboxPool } from './sandbox-pool.js';
import { SandboxedTaskRunner } from './sandboxed-task-runner.js';
import { VolunteerSwarm } from './swarm/index.js';
import type { VolunteerWorker, WorkerIdentity } from './volunteer-worker.js';
import { Worker } from './worker.js';

/** While the origin is away: half a second to a minute, twenty times, in all about a quarter of an hour. */
const DOWNLOAD_BACKOFF = { baseMs: 500, maxMs: 60_000 };
const DOWNLOAD_ATTEMPTS = 20;
/** Of the space for inputs, this much is for modules and manifests; a tenth where there is little. */
const MODULE_CACHE_BYTES = 256 * 1024 * 1024;
/** For a chunk that peers may have as well: another one is found sooner than a slow answer. */
const TICKETED = { attempts: 2, stallMs: 10_000, retryDelayMs: 250 };

export interface CreateWorkerOptions extends WorkerIdentity {
  /**
   * Directory for inputs, tasks in progress and unacknowledged results; one worker at a time. Left out: one for this token,
   * below `gleaner-worker` where the user's programs keep their data.
   */
  readonly dataDirectory?: string;
  /** What is offered; {@link completePolicy} tells the defaults. */
  readonly policy?: Partial<WorkerPolicy>;
  /** Ask for work once, compute and report it, then stop. */
  readonly once?: boolean;
  /** Told what happens in the swarm: an event name and what identifies it, never an address or a token. */
  readonly log?: (event: string, fields?: Readonly<Record<string, string | number>>) => void;
}

/**
 * A volunteer worker for Node: `const worker = createWorker({ coordinator, credentials, policy }); await worker.start(); …
 * await worker.stop();` Nothing is read, written or asked before it is started.
 *
 * @throws {TypeError} when the coordinator's URL is none
 */
export function createWorker(options: CreateWorkerOptions): VolunteerWorker {
  const coordinator = new URL(options.coordinator);
  return new DeferredWorker(() => openWorker({ ...options, coordinator }));
}

/**
 * The same with its storage open already, for programs that want to know early that it can be used.
 *
 * @throws {TypeError} when the coordinator's URL is none
 */
export async function openWorker(options: CreateWorkerOptions): Promise<Worker> {
  const dataDirectory = resolve(options.dataDirectory ?? directoryOf(options.credentials.token));
  const policy = completePolicy(options.policy ?? {});
  const client = new CoordinatorClient({
    baseUrl: new URL(options.coordinator),
    token: options.credentials.token,
    instance: randomBytes(8).toString('hex'),
  });
  const cacheDirectory = join(dataDirectory, 'cache');
  const checkpointDirectory = join(dataDirectory, 'snapshots');
  await mkdir(checkpointDirectory, { recursive: true, mode: 0o700 });
  const chunkDirectory = join(dataDirectory, 'chunks');
  const moduleBytes = Math.min(MODULE_CACHE_BYTES, Math.floor(policy.cacheBytes / 10));
  const cache = await ContentCache.open({ directory: cacheDirectory, quotaBytes: moduleBytes });
  // Its evictions have to be told to the swarm, which needs the store first.
  let sharing: Pick<VolunteerSwarm, 'isPromised' | 'pause' | 'resume'> | undefined;
  const chunks = await ChunkStore.open({
    directory: chunkDirectory,
    quotaBytes: policy.cacheBytes - moduleBytes,
    isPromised: (manifestId) => sharing?.isPromised(manifestId) ?? false,
    onEvicting: async (manifestId) => sharing?.pause(manifestId),
    onEvicted: (manifestId, isKept) => sharing?.resume(manifestId, isKept),
  });
  const coordinatorKey = new CoordinatorKey(client);
  const source = new HttpOriginSource({
    baseUrl: client.baseUrl,
    credentials: () => client.credentials(),
    manifestKey: (signal) => coordinatorKey.current(signal),
    retryDelayMs: (attempt) => backoffDelayMs(attempt + 1, DOWNLOAD_BACKOFF, Math.random()),
    attempts: DOWNLOAD_ATTEMPTS,
  });
  const ticketedOrigin = new HttpOriginSource({
    baseUrl: client.baseUrl,
    credentials: () => client.credentials(),
    retryDelayMs: () => TICKETED.retryDelayMs,
    attempts: TICKETED.attempts,
    stallMs: TICKETED.stallMs,
  });
  const swarm = await VolunteerSwarm.open({
    client,
    store: chunks,
    cache,
    origin: source,
    ticketedOrigin,
    directory: join(dataDirectory, 'swarm'),
    random: Math.random,
    log: (event, fields) => options.log?.(event, fields),
  });
  sharing = swarm;
  const runtimeVersions = [RUNTIME_VERSION];
  const sandboxes = new SandboxPool({
    readableDirectories: [cacheDirectory, chunkDirectory],
    checkpointDirectory,
  });
  const runner = new SandboxedTaskRunner(
    { cache, store: chunks, supply: swarm.supply, source, sandboxes },
    { runtimeVersions, checkpointDirectory, checkpointEveryMs: policy.snapshotEveryMs },
  );
  const store = new FileTaskStore(dataDirectory);
  return new Worker(
    { client, store, runner, swarm, chunks, random: Math.random },
    { policy, runtimeVersions, ...(options.once && { once: true }) },
  );
}

/** Each host has its own: work that is kept belongs to the host that it was given to. */
function directoryOf(token: string): string {
  const base = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share');
  return join(base, 'gleaner-worker', createHash('sha256').update(token).digest('hex').slice(0, 16));
}
