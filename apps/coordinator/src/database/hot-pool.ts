import pg from 'pg';
import type { DataSource } from 'typeorm';
import { careFor, recentTrouble } from './pool-care.js';
import { SESSION_SETTINGS, type SessionSettings, settling } from './session-settings.js';
import { LOCK_NOT_AVAILABLE } from './statement-timeout.js';

/** Batches of claims, reports and validations, two of each at a time, and some room. */
const MAX_CONNECTIONS = 12;

/** Tables grow, and a plan made for few rows is not for ever. */
const MAX_LIFETIME_SECONDS = 600;

/**
 * The statements of dispatch are planned once for each connection, whatever their arrays hold: planning them takes longer
 * than running them, and Postgres would plan them anew each time because it expects less of small arrays. What is planned
 * once must not be planned for tables that happened to be empty then, hence no sequential scans and no walks along two indexes
 * side by side; nor does starting parallel workers pay off for a few rows.
 */
const PLANNED_ONCE: SessionSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_mergejoin: 'off',
};

/**
 * They lock rows for milliseconds. What has to wait so long waits for somebody's `LOCK TABLE`, and batches of all hosts behind it: hosts
 * are told so, and come again.
 */
const LOCK_TIMEOUT_MS = 10_000;
const HOT_SETTINGS: SessionSettings = {
  ...SESSION_SETTINGS,
  ...PLANNED_ONCE,
  lock_timeout: String(LOCK_TIMEOUT_MS),
};

/** TypeORM's own pool, for libraries that bring their own queries. Whoever opened the data source closes it. */
export function masterPool(dataSource: DataSource): pg.Pool {
  // `as`: the Postgres driver keeps the pool of its master connection under this name; other drivers are not used.
  return (dataSource.driver as unknown as { readonly master: pg.Pool }).master;
}

const ignore = (): void => undefined;

const pools = new WeakMap<DataSource, pg.Pool>();

/**
 * The few statements that run for every batch of tasks go here: node-postgres without TypeORM on top is half the cost, and
 * its connections keep their named statements. It is closed by {@link closeHotPool}.
 */
export function hotPool(dataSource: DataSource): pg.Pool {
  let pool = pools.get(dataSource);
  if (!pool) {
    const master = masterPool(dataSource);
    const { password } = master.options; // A pool keeps it out of what spreading copies.
    pool = new pg.Pool({
      ...master.options,
      ...(password === undefined ? {} : { password }),
      max: MAX_CONNECTIONS,
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      ...settling(HOT_SETTINGS),
    });
    // A connection that breaks while nobody uses it is replaced when it is needed; the next query tells if it cannot be.
    pool.on('error', ignore);
    careFor(pool, { [LOCK_NOT_AVAILABLE]: 'something in it is locked for long' });
    pools.set(dataSource, pool);
  }
  return pool;
}

/** What the data source's server said lately of itself that was wrong, such as that its disk is full; null: nothing. */
export function recentTroubleOf(dataSource: DataSource): string | null {
  const hot = pools.get(dataSource);
  return recentTrouble(hot ? [masterPool(dataSource), hot] : [masterPool(dataSource)]);
}

/** Closes the pool once its statements have ended. Closing what was never used is no error. */
export async function closeHotPool(dataSource: DataSource): Promise<void> {
  const pool = pools.get(dataSource);
  pools.delete(dataSource);
  await pool?.end();
}
