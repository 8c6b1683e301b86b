import 'reflect-metadata';
import { MIGRATIONS } from '@gleaner/migrations';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { ENTITIES } from './entities.js';
import { masterPool } from './hot-pool.js';
import { LockWatch } from './lock-watch.js';
import { careFor } from './pool-care.js';
import { SERVER_FACTS, type ServerFacts, whyUnsuited } from './server-facts.js';
import { SESSION_SETTINGS, settling } from './session-settings.js';

/** Coordinators that start together migrate one after the other; the number only has to be the same for all of them. */
const MIGRATION_LOCK = 8_400_001;

const MIGRATIONS_TABLE = 'schema_migration';

/** What this version makes of the database, by its newest migration. */
export const SCHEMA_VERSION = MIGRATIONS.at(-1)?.name ?? '';

const MIN_CONNECTIONS = 2;

/**
 * Connections that nobody needs go after this. A new one costs its log-in and the plans of every statement that it runs, so that
 * those that a busy moment needs have to be there for the next one.
 */
export const CONNECTION_IDLE_MS = 5 * 60 * 1000;

/**
 * Whoever gets no connection for so long, as all of them wait for a lock or the server is gone without a word, is told so: others
 * would line up behind without end, and be worked for when their callers have long hung up.
 */
const CONNECTION_WAIT_MS = 20_000;

const ignore = (): void => undefined;

export interface DataSourceSettings {
  readonly url: string;
  readonly connections: number;
  /** Hears whom migrating waits for, such as somebody's open transaction; it goes on by itself once they have ended. */
  readonly onLockWait?: (holders: string) => void;
  /** Gives up such a wait: nothing of the migration that waits stays. */
  readonly signal?: AbortSignal;
}

export function dataSourceOptions(settings: DataSourceSettings): DataSourceOptions {
  return {
    type: 'postgres',
    url: settings.url,
    poolSize: settings.connections,
    entities: [...ENTITIES],
    migrations: [...MIGRATIONS],
    migrationsTableName: MIGRATIONS_TABLE,
    migrationsTransactionMode: 'each',
    synchronize: false,
    applicationName: 'gleaner-coordinator',
    extra: {
      idleTimeoutMillis: CONNECTION_IDLE_MS,
      connectionTimeoutMillis: CONNECTION_WAIT_MS,
      ...settling(SESSION_SETTINGS),
    },
  };
}

/** The operator has to give us another database, or the database another version of us. */
export class DatabaseUnsuitedError extends Error {
  override readonly name = 'DatabaseUnsuitedError';
}

/**
 * Connects and brings the schema up to date. The caller destroys it.
 *
 * @throws the signal's reason where it was given before all was done
 * @throws {DatabaseUnsuitedError} where the server is too old, or the database cannot hold all texts or is a newer version's
 * @throws RangeError for fewer than two connections: one holds the lock while another migrates
 */
export async function openDataSource(settings: DataSourceSettings): Promise<DataSource> {
  const { connections, onLockWait, signal } = settings;
  if (connections < MIN_CONNECTIONS)
    throw new RangeError(`migrating takes ${MIN_CONNECTIONS} connections, not ${connections}`);
  const dataSource = new DataSource(dataSourceOptions(settings));
  await dataSource.initialize();
  careFor(masterPool(dataSource));
  try {
    await requireSuited(dataSource);
    using _ = new LockWatch(masterPool(dataSource), onLockWait ?? ignore, signal);
    signal?.throwIfAborted();
    await migrate(dataSource);
    signal?.throwIfAborted();
  } catch (error) {
    await dataSource.destroy();
    signal?.throwIfAborted();
    throw error;
  }
  return dataSource;
}

/** Asked before anything is made in it. */
async function requireSuited(dataSource: DataSource): Promise<void> {
  const [facts] = await dataSource.query<ServerFacts[]>(SERVER_FACTS);
  const why = facts ? whyUnsuited(facts) : null;
  if (why !== null) throw new DatabaseUnsuitedError(why);
}

async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  await runner.connect();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await refuseNewerSchema(dataSource, runner);
    await dataSource.runMigrations();
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    await runner.release();
  }
}

/** What newer migrations changed would be met by statements that do not know of it, some of which would succeed. */
async function refuseNewerSchema({ migrations }: DataSource, runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable(MIGRATIONS_TABLE))) return;
  const rows = (await runner.query(
    `SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY "timestamp" DESC`,
  )) as ReadonlyArray<{
    readonly name: string;
  }>; // `as`: the column that is asked for
  const ours = new Set(migrations.map((migration) => migration.name ?? migration.constructor.name));
  const newer = rows.find(({ name }) => !ours.has(name));
  if (newer) {
    throw new DatabaseUnsuitedError(
      `a newer version of Gleaner has changed it (${newer.name}): start that version, or restore a backup from before`,
    );
  }
}
