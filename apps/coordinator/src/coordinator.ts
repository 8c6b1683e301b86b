import { access, chmod, constants, mkdir, stat } from 'node:fs/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import { OperatorBootstrap } from './accounts/index.js';
import { ConfigError, type Config } from './config/index.js';
import { createApplication } from './create-application.js';
import {
  DATABASE_MOVED,
  DirectoryInUseError,
  EmbeddedPostgres,
  notePlace,
  openDataSource,
  postgresDirectory,
  readInstallation,
  whyUnusable,
} from './database/index.js';
import { BackendAgreement } from './queue/index.js';
import type { Logger } from './telemetry/index.js';

const CONNECTION_GRACE_MS = 2_000;

export interface Coordinator {
  readonly app: NestFastifyApplication;
  /** Where it listens, for this machine. */
  readonly url: string;
  readonly port: number;
  /** Secret of the first operator token, only at the start that drew it. */
  readonly operatorToken: string | null;
  /** Stops listening, finishes what runs, closes connections, stops what it started. Stopping twice is safe. */
  stop(): Promise<void>;
}

/**
 * Starts everything a role needs, in order; what was started is stopped again when a later part fails.
 *
 * @param signal ends a start that waits for a Redis, or for somebody's lock on the database
 */
export async function startCoordinator(
  config: Config,
  logger: Logger,
  signal?: AbortSignal,
): Promise<Coordinator> {
  const started: Array<() => Promise<void>> = [];
  const stop = async (): Promise<void> => {
    for (let end = started.pop(); end !== undefined; end = started.pop()) await end();
  };
  try {
    await prepareDataDir(config.dataDir);
    let databaseUrl = config.databaseUrl;
    if (databaseUrl === null) {
      const postgres = await startPostgres(config.dataDir, logger);
      started.push(() => postgres.stop());
      databaseUrl = postgres.url;
    }
    const kind = config.redisUrl === null ? 'postgres' : 'redis';
    const agreement = await withDatabase(config, BackendAgreement.join(databaseUrl, kind));
    started.push(() => agreement.leave());
    if (config.redisUrl === null && agreement.others > 0) {
      logger.warn(
        { event: 'swarms-apart', others: agreement.others },
        'other coordinators use this database: without REDIS_URL each knows only its own peers, and the origin sends a chunk once for each',
      );
    }
    if (agreement.otherVersions > 0) {
      logger.warn(
        { event: 'other-versions-run', coordinators: agreement.otherVersions },
        'coordinators of another version run on this database: stop the older ones, which do not know of what newer ones change in it',
      );
    }
    const opening = openDataSource({
      url: databaseUrl,
      connections: config.databaseConnections,
      onLockWait: (holders) =>
        logger.warn(
          { event: 'migration-waits', holders },
          `the database is brought up to date as soon as these let go of it: ${holders}. Coordinators of an older version have to be stopped`,
        ),
      ...(signal ? { signal } : {}),
    });
    const dataSource = await withDatabase(config, opening);
    started.push(() => closeDataSource(dataSource));
    const embedded = config.databaseUrl === null ? postgresDirectory(config.dataDir) : null;
    if (await withDatabase(config, notePlace(dataSource, embedded)))
      logger.warn({ event: 'database-moved' }, DATABASE_MOVED);
    if (config.redisUrl !== null) {
      const { namespace } = await readInstallation(dataSource);
      const tell = (trouble: string): void =>
        logger.warn({ event: 'redis-away', trouble }, `waiting for REDIS_URL: ${trouble}`);
      await agreement.agreeOnRedis({ url: config.redisUrl, namespace, role: config.role }, tell, signal);
    }
    const app = await withDatabase(config, createApplication({ config, dataSource, logger }));
    started.push(() => closeApplication(app));
    const operatorToken =
      config.role === 'worker' ? null : await withDatabase(config, app.get(OperatorBootstrap).run());
    await listen(app, config);
    const port = boundPort(app);
    return { app, url: `http://localhost:${port}`, port, operatorToken, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startPostgres(dataDir: string, logger: Logger): Promise<EmbeddedPostgres> {
  const options = { directory: postgresDirectory(dataDir) };
  try {
    const postgres = await EmbeddedPostgres.start(options);
    postgres.keepRunning(options, (trouble) =>
      logger.error({ event: 'database-ended', trouble }, `the embedded Postgres: ${trouble}`),
    );
    return postgres;
  } catch (error) {
    if (error instanceof DirectoryInUseError) {
      throw new ConfigError([`the data directory ${dataDir} ${error.reason}`]);
    }
    throw error;
  }
}

/** What is wrong with a database is told with the name of the setting that says where it is. */
async function withDatabase<T>({ databaseUrl, dataDir }: Config, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const reason = whyUnusable(error);
    if (reason === null) throw error;
    const where =
      databaseUrl === null ? `the data directory ${dataDir} (--data, GLEANER_DATA)` : 'DATABASE_URL';
    throw new ConfigError([`${where}: the database cannot be used: ${reason}`]);
  }
}

async function listen(app: NestFastifyApplication, { port, host }: Config): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new ConfigError([`GLEANER_HOST: ${host} is no address of this machine`]);
    const reason = { EADDRINUSE: 'is in use', EACCES: 'is not ours to use' }[String(code)];
    if (reason === undefined) throw error;
    throw new ConfigError([
      `port ${port} (--port, GLEANER_PORT) ${reason}: choose another, or 0 for a free one`,
    ]);
  }
}

/** Others may pass through it, not look: the embedded Postgres of a root coordinator runs as another user. */
async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`the data directory ${dataDir} (--data, GLEANER_DATA) cannot be made: ${reason}`]);
  }
  await access(dataDir, constants.W_OK | constants.X_OK).catch(() => {
    throw new ConfigError([`the data directory ${dataDir} (--data, GLEANER_DATA) is not ours to write`]);
  });
  const { mode } = await stat(dataDir);
  if (process.getuid?.() === 0 && (mode & 0o001) === 0) await chmod(dataDir, (mode & 0o777) | 0o011);
}

/**
 * Requests that run when the server stops listening may end within a moment. A connection on which a client has said
 * nothing yet counts as busy for Node, and would hold the end back until its headers are overdue, a minute later.
 */
async function closeApplication(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  const timer = setInterval(() => {
    if (!server.listening) server.closeAllConnections();
  }, CONNECTION_GRACE_MS);
  try {
    await app.close();
  } finally {
    clearInterval(timer);
  }
}

async function closeDataSource(dataSource: DataSource): Promise<void> {
  // The application closes it as well; here for the case that the application never came to be.
  if (dataSource.isInitialized) await dataSource.destroy();
}

function boundPort(app: NestFastifyApplication): number {
  const address: unknown = app.getHttpServer().address();
  if (
    typeof address === 'object' &&
    address !== null &&
    'port' in address &&
    typeof address.port === 'number'
  ) {
    return address.port;
  }
  throw new Error('the server listens on no TCP port');
}
