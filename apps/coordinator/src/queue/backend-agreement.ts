import type pg from 'pg';
import { ConfigError } from '../config/index.js';
import { DatabaseUnsuitedError, firstConnection, isShared, SCHEMA_VERSION } from '../database/index.js';
import type { QueueBackendConfig } from './queue-backend.js';
import { RedisMark, type RedisOfCoordinator } from './redis-mark.js';

type Kind = QueueBackendConfig['kind'];

/** Advisory locks of the database; the numbers only have to be the same for all coordinators. */
const ASKING_LOCK = 8_400_002;
const RUNNING_LOCKS: Readonly<Record<Kind, number>> = { redis: 8_400_003, postgres: 8_400_004 };
const OTHER: Readonly<Record<Kind, Kind>> = { redis: 'postgres', postgres: 'redis' };

/** What coordinators call the session that holds their locks, followed by their version of the schema. */
const SESSION_NAME = 'gleaner-agreement';
/** Postgres cuts longer names of sessions. */
const SESSION_NAME_MAX_BYTES = 63;

const ADVICE: Readonly<Record<Kind, string>> = {
  redis: 'REDIS_URL is not set, and a coordinator of this database runs that has its queues in Redis',
  postgres: 'REDIS_URL is set, and a coordinator of this database runs that has its queues in Postgres',
};

/**
 * Coordinators of one database have their queues in one place: work that one announces would never reach the others, and
 * their lanes would differ. Each holds a shared lock for as long as it runs, so the next that starts sees where their queues
 * are; whoever moves them stops all coordinators first.
 */
export class BackendAgreement {
  private redisMark: RedisMark | undefined;

  private constructor(
    private readonly client: pg.Client,
    /** Coordinators that used the database already when this one came. */
    readonly others: number,
    /** Those of them that know the database otherwise than this one: an older one does not see what a newer one changes in it. */
    readonly otherVersions: number,
  ) {}

  /**
   * @throws {ConfigError} while coordinators run whose queues are elsewhere
   * @throws {DatabaseUnsuitedError} where no connection comes about
   */
  static async join(databaseUrl: string, kind: Kind, schema = SCHEMA_VERSION): Promise<BackendAgreement> {
    const name = `${SESSION_NAME} ${schema}`.slice(0, SESSION_NAME_MAX_BYTES);
    // Where it breaks, the lock ends with it: what runs goes on, and only the next start is not warned.
    const client = await firstConnection(databaseUrl, name);
    try {
      await requireOwnSession(client, databaseUrl);
      await client.query('SELECT pg_advisory_lock($1)', [ASKING_LOCK]);
      const other = RUNNING_LOCKS[OTHER[kind]];
      const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1) AS free', [
        other,
      ]);
      if (rows[0]?.free !== true)
        throw new ConfigError([`${ADVICE[OTHER[kind]]}: give all of them the same`]);
      await client.query(
        'SELECT pg_advisory_lock_shared($1), pg_advisory_unlock($2), pg_advisory_unlock($3)',
        [RUNNING_LOCKS[kind], other, ASKING_LOCK],
      );
      const { rows: holders } = await client.query<{ others: number; otherVersions: number }>(
        // A pooler may write more behind a session's name, or leave it out.
        `SELECT count(*)::int - 1 AS others,
                count(*) FILTER (WHERE starts_with(application_name, $2) AND NOT starts_with(application_name, $3))::int
                  AS "otherVersions"
           FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
          WHERE locktype = 'advisory' AND granted AND objid = $1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        [RUNNING_LOCKS[kind], SESSION_NAME, name],
      );
      const { others = 0, otherVersions = 0 } = holders[0] ?? {};
      return new BackendAgreement(client, others, otherVersions);
    } catch (error) {
      await client.end();
      throw error;
    }
  }

  /** @throws {ConfigError} while coordinators of this database run that use another Redis, and where this one will not do */
  async agreeOnRedis(
    redis: RedisOfCoordinator,
    tell: (trouble: string) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    this.redisMark ??= await RedisMark.agree(this.client, ASKING_LOCK, redis, tell, signal);
  }

  async leave(): Promise<void> {
    this.redisMark?.leave();
    await this.client.end();
  }
}

/** Before anything is locked: whatever is, would be so for whoever gets the session next. */
async function requireOwnSession(client: pg.Client, databaseUrl: string): Promise<void> {
  const other = await firstConnection(databaseUrl, `${SESSION_NAME} other`);
  try {
    if (await isShared(client, other)) throw new DatabaseUnsuitedError(POOLED);
  } finally {
    await other.end();
  }
}

const POOLED =
  'a pooler before it gives each transaction another session (pool_mode = transaction), and Gleaner keeps locks and prepared statements in its own: let it pool sessions, or name the server itself';
