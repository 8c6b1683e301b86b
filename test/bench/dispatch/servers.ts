import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EmbeddedPostgres } from '@gleaner/coordinator';
import { startRedis, type RedisServer } from '../../support/redis-server.js';
import type { BenchOptions } from './options.js';

const START_TIMEOUT_MS = 60_000;
const MAIN = join(dirname(fileURLToPath(import.meta.resolve('@gleaner/coordinator'))), 'main.js');

const STATEMENT_SETTINGS = {
  shared_preload_libraries: 'pg_stat_statements',
  // Vacuums and analyses tell in the server's log what they took.
  log_autovacuum_min_duration: '0',
};

export interface CoordinatorProcess {
  readonly port: number;
  readonly pid: number;
  /** Ends it as an operator would; with `SIGKILL`, as a power cut would. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface Servers {
  readonly postgres: EmbeddedPostgres;
  readonly redis: RedisServer;
  startCoordinators(): Promise<CoordinatorProcess[]>;
  stop(): Promise<void>;
}

/** Postgres (durable: fsync and synchronous_commit stay on) and Redis on free ports, in a directory of their own. */
export async function startServers(options: BenchOptions): Promise<Servers> {
  const directory = options.keep ?? (await mkdtemp(join(tmpdir(), 'gleaner-bench-')));
  await mkdir(directory, { recursive: true });
  // As root Postgres runs as another user, who has to pass through here.
  await chmod(directory, 0o711);
  const postgres = await EmbeddedPostgres.start({
    directory: join(directory, 'postgres'),
    settings: {
      shared_buffers: '1GB',
      max_wal_size: '8GB',
      checkpoint_timeout: '15min',
      ...(options.statements || options.timeline ? STATEMENT_SETTINGS : {}),
    },
  });
  const redis = await startRedis(join(directory, 'redis'));
  if (!redis) throw new Error('the benchmark needs redis-server in PATH');
  const coordinators: CoordinatorProcess[] = [];
  return {
    postgres,
    redis,
    startCoordinators: async () => {
      for (let each = 0; each < options.coordinators; each += 1) {
        coordinators.push(
          await startCoordinator(
            {
              GLEANER_DATA: join(directory, 'data'),
              GLEANER_TRUST_PROXY: '1',
              DATABASE_URL: postgres.url,
              REDIS_URL: redis.url,
            },
            options.nodeArgs,
          ),
        );
      }
      return coordinators;
    },
    stop: async () => {
      await Promise.all(coordinators.map((coordinator) => coordinator.stop()));
      await redis.stop();
      await postgres.stop();
      if (options.keep === null) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A coordinator of its own process on a free port of this machine. */
export async function startCoordinator(
  settings: Readonly<Record<string, string>>,
  nodeArgs: readonly string[] = [],
): Promise<CoordinatorProcess> {
  const child = spawn(process.execPath, [...nodeArgs, MAIN, '--json'], {
    env: {
      ...process.env,
      GLEANER_PORT: '0',
      GLEANER_HOST: '127.0.0.1',
      GLEANER_LOG_LEVEL: process.env['GLEANER_LOG_LEVEL'] ?? 'warn',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    port: await announcedPort(child),
    pid: child.pid ?? 0,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      await ended;
    },
  };
}

/** The port in the line of JSON that a coordinator prints when it is ready. */
async function announcedPort(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('the coordinator has no output to read');
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const announced: unknown = line.startsWith('{') ? JSON.parse(line) : null;
      if (typeof announced === 'object' && announced !== null && 'port' in announced) {
        child.stdout.resume();
        return Number(announced.port);
      }
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error('the coordinator ended before it was ready');
}
