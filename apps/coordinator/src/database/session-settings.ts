import type pg from 'pg';

/** Settings of Postgres by name. */
export type SessionSettings = Readonly<Record<string, string>>;

const SETTLED_WITHIN_MS = 20_000;

/** Versions that do not know a setting do without. */
const SETTLE = `SELECT set_config(key, value, false) FROM json_each_text($1) WHERE current_setting(key, true) IS NOT NULL`;

/** What every session with the database has, whoever the role is. */
export const SESSION_SETTINGS: SessionSettings = {
  // No statement takes helpers: they compete with dispatch for the same cores, and starting them costs more than a page of rows, which
  // is what nearly every statement reads.
  max_parallel_workers_per_gather: '0',
  // No statement is compiled: the planner expects units to be looked for in every partition, and compiling what it takes for expensive
  // takes longer than running it. A page of jobs took 1.1 s instead of 0.07 s with 50 partitions.
  jit: 'off',

  // What follows an administrator may have set otherwise for the role, the database or all. Times are read as ISO says them, numbers
  // with all their digits: a page of a board begins where the one before it ended.
  datestyle: 'ISO',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  default_transaction_isolation: 'read committed',
  // A time-out ends what takes long for a reason: a migration of a large table, and the wait of those that start meanwhile; or a session
  // that is kept for its locks, and for what it listens to. Statements that may be ended say so themselves.
  statement_timeout: '0',
  lock_timeout: '0',
  transaction_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
};

/**
 * Gives a session its settings, before it is used. Not by what a connection may ask for when it begins: poolers leave that out, and an
 * address that says `options` itself replaces it.
 */
export async function settle(client: pg.ClientBase, settings: SessionSettings): Promise<void> {
  // `as`: node-postgres knows it of every query; its types only of clients.
  const query = {
    text: SETTLE,
    values: [JSON.stringify(settings)],
    query_timeout: SETTLED_WITHIN_MS,
  } as pg.QueryConfig;
  await client.query(query);
}

interface Settling {
  readonly onConnect: (client: pg.ClientBase) => Promise<void>;
}

/** For pools: what a new connection goes through before anybody gets it. */
export function settling(settings: SessionSettings): Settling {
  return { onConnect: (client) => settle(client, settings) };
}
