import { createPostgresBackend, createRedisBackend, type PgPool, runMigrations, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { careFor, SESSION_SETTINGS, settling } from '../database/index.js';
import { reconnectOnError, whyForgetful } from './redis-troubles.js';

/** Where queue jobs live. Redis for throughput; Postgres where nothing else is installed. */
export type QueueBackendConfig =
  | {
      readonly kind: 'redis';
      readonly url: string;
      /** Begins all keys: others may use the same Redis. */
      readonly prefix: string;
    }
  | { readonly kind: 'postgres'; readonly connectionString: string };

/** BullMQ's tables have a schema of their own, migrated by BullMQ itself. */
const POSTGRES_SCHEMA = 'bullmq';
/** Every worker keeps one connection for LISTEN; queues share the rest. */
const POSTGRES_POOL_MAX = 80;
const RECONNECT_DELAY_MS = 500;

/** The part of BullMQ's classes that this project uses, without their type parameters for backends. */
export interface QueueBackend {
  createQueue(name: string): BullQueue;
  createWorker(name: string, process: BullProcessor, options: BullWorkerOptions): BullWorker;
  /** Closes what queues and workers share; they must be closed before. */
  close(): Promise<void>;
}

interface BullJob {
  readonly id?: string | undefined;
  readonly data: unknown;
  /** When it was added; Unix milliseconds. */
  readonly timestamp: number;
}
type BullProcessor = (
  job: BullJob,
  token: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<void>;

export interface BullJobOptions {
  readonly delay?: number;
  readonly attempts?: number;
  readonly backoff?: { readonly type: 'exponential'; readonly delay: number };
  readonly deduplication?: { readonly id: string };
  readonly removeOnComplete?: boolean;
  readonly removeOnFail?: number;
}

export interface BullQueue {
  add(name: string, data: unknown, options: BullJobOptions): Promise<unknown>;
  addBulk(jobs: Array<{ name: string; data: unknown; opts: BullJobOptions }>): Promise<unknown>;
  getWaitingCount(): Promise<number>;
  getDelayedCount(): Promise<number>;
  /** By type, in one look. */
  getJobCounts(...types: string[]): Promise<Record<string, number>>;
  getJobs(
    types: Array<'waiting' | 'active' | 'delayed'>,
    start: number,
    end: number,
    asc: boolean,
  ): Promise<BullJob[]>;
  upsertJobScheduler(
    id: string,
    repeat: { every: number },
    template: { name: string; data: unknown; opts: { removeOnComplete: boolean; removeOnFail: number } },
  ): Promise<unknown>;
  getJobScheduler(id: string): Promise<{ readonly next?: number } | undefined>;
  removeJobScheduler(id: string): Promise<boolean>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

interface BullWorkerOptions {
  readonly concurrency: number;
  readonly maxStalledCount: number;
  readonly lockDuration: number;
  readonly stalledInterval: number;
}

export interface BullWorker {
  waitUntilReady(): Promise<unknown>;
  pause(doNotWaitActive?: boolean): Promise<void>;
  resume(): Promise<void>;
  isPaused(): boolean;
  close(force?: boolean): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: BullJob | undefined, error: Error) => void): unknown;
}

export interface QueueBackendHooks {
  readonly onError: (error: Error) => void;
  /** The backend will forget queue jobs, and why. */
  readonly onForgetful: (why: string) => void;
}

/** Connects to the backend and, on Postgres, brings BullMQ's own tables up to date. */
export async function openQueueBackend(
  config: QueueBackendConfig,
  hooks: QueueBackendHooks,
): Promise<QueueBackend> {
  return config.kind === 'redis'
    ? openRedis(config, hooks)
    : openPostgres(config.connectionString, hooks.onError);
}

function openRedis(
  { url, prefix }: Extract<QueueBackendConfig, { kind: 'redis' }>,
  { onError, onForgetful }: QueueBackendHooks,
): QueueBackend {
  const { Queue, Worker } = withBackend(createRedisBackend);
  const shared = new Redis(url, {
    // BullMQ's requirement: its commands wait for the reconnection instead of failing half-way.
    maxRetriesPerRequest: null,
    retryStrategy: () => RECONNECT_DELAY_MS,
    reconnectOnError,
  });
  shared.on('error', onError);
  void whyForgetful(shared).then((why) => {
    if (why !== null) onForgetful(why);
  });
  return {
    createQueue: (name) => new Queue(name, { connection: shared, prefix }),
    createWorker: (name, process, options) =>
      new Worker(name, process, { connection: shared, prefix, ...options }),
    close: async () => {
      shared.disconnect();
      await Promise.resolve();
    },
  };
}

async function openPostgres(
  connectionString: string,
  onError: (error: Error) => void,
): Promise<QueueBackend> {
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const pool = new pg.Pool({
    connectionString,
    max: POSTGRES_POOL_MAX,
    keepAlive: true,
    ...settling({ ...SESSION_SETTINGS, search_path: POSTGRES_SCHEMA }),
    application_name: 'gleaner-queue',
  });
  // Each queue and worker listens for the pool's errors.
  pool.setMaxListeners(0);
  pool.on('error', onError);
  careFor(pool);
  const client = await pool.connect();
  try {
    await runMigrations(client, POSTGRES_SCHEMA);
  } finally {
    client.release();
  }
  // BullMQ describes the pool structurally; node-postgres' overloads say the same in other words.
  const connection = pool as unknown as PgPool;
  return {
    createQueue: (name) => new Queue(name, { connection }),
    createWorker: (name, process, options) => new Worker(name, process, { connection, ...options }),
    close: () => pool.end(),
  };
}
