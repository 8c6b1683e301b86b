import { closeHotPool, firstConnection, hotPool, openDataSource } from '@gleaner/coordinator';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  aPerson,
  createTestApplication,
  createTestDatabase,
  runOn,
  type TestDatabase,
} from '../support/index.js';

const ROLE = 'gleaner_test_strict';
const TIMEOUT_MS = 200;
const UNITS_PER_PARTITION = 4_194_304;
/** Under it coordinators that start together bring the database up to date one after the other. */
const MIGRATION_LOCK = 8_400_001;

let database: TestDatabase;
let admin: pg.Client;
let url: URL;
beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  url = new URL(database.url);
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD 'strict'`);
  await admin.query(`ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${ROLE}`);
  for (const setting of [
    'jit = on',
    `statement_timeout = ${TIMEOUT_MS}`,
    `lock_timeout = ${TIMEOUT_MS}`,
    'datestyle = German',
    "timezone = 'Pacific/Auckland'",
    "default_transaction_isolation = 'serializable'",
    `idle_session_timeout = ${TIMEOUT_MS}`,
    `transaction_timeout = ${TIMEOUT_MS}`,
    'standard_conforming_strings = off',
    'extra_float_digits = -10',
  ])
    await admin.query(`ALTER ROLE ${ROLE} SET ${setting}`);
  url.username = ROLE;
  url.password = 'strict';
});
afterAll(async () => {
  await admin.end();
  await database.drop();
  await runOn(new URL('/postgres', database.url).href, `DROP ROLE ${ROLE}`);
});

it('whoever starts waits for another that migrates, whatever time-outs the role has', async () => {
  await admin.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  const opening = openDataSource({ url: url.href, connections: 2 });
  const opened = opening.then(
    () => 'opened',
    (error: unknown) => String(error),
  );
  const waits = async (): Promise<void> => {
    const { rows } = await admin.query(
      `SELECT FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock' AND now() - query_start > $2 * interval '1 ms'`,
      [ROLE, 3 * TIMEOUT_MS],
    );
    expect(rows).toHaveLength(1);
  };
  const outcome = await Promise.race([opened, vi.waitFor(waits, { timeout: 30_000 })]);
  await admin.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  expect(outcome).toBeUndefined();
  await (await opening).destroy();
});

it('times are read as they were written, however the role likes to see dates', async () => {
  const gleaner = await createTestApplication({ databaseUrl: url.href });
  try {
    const person = await aPerson(gleaner);
    expect(Math.abs(Date.parse(person.account.createdAt) - Date.now())).toBeLessThan(60_000);
  } finally {
    await gleaner.close();
  }
});

it('a number is read as it was written, with all its digits', async () => {
  const dataSource = await openDataSource({ url: url.href, connections: 2 });
  try {
    const [row] = await dataSource.query<unknown[]>('SELECT 0.1::float8 + 0.2::float8 AS sum');
    expect(row).toEqual({ sum: 0.1 + 0.2 });
  } finally {
    await dataSource.destroy();
  }
});

it('partitions are found beside those that are there, whatever a backslash means to the role', async () => {
  const dataSource = await openDataSource({ url: url.href, connections: 2 });
  try {
    await dataSource.query('SELECT make_unit_partitions($1)', [UNITS_PER_PARTITION]);
  } finally {
    await dataSource.destroy();
  }
});

it('a session that waits for what it is kept for is not ended', async () => {
  const client = await firstConnection(url.href, 'session-settings-test');
  try {
    await admin.query('SELECT pg_sleep($1::float8 / 1000)', [3 * TIMEOUT_MS]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  } finally {
    await client.end();
  }
});

it('queues and requests find their tables where the address of the database says options of its own', async () => {
  url.searchParams.set('options', '-c search_path=public -c jit=on');
  const gleaner = await createTestApplication({ databaseUrl: url.href });
  try {
    await gleaner.http.get('/health/ready').expect(200, /"status":"ok"/);
    expect(await gleaner.dataSource.query('SHOW jit')).toEqual([{ jit: 'off' }]);
  } finally {
    url.searchParams.delete('options');
    await gleaner.close();
  }
});

it('no statement is compiled, for dispatch or anybody else', async () => {
  const dataSource = await openDataSource({ url: url.href, connections: 2 });
  try {
    expect(await dataSource.query('SHOW jit')).toEqual([{ jit: 'off' }]);
    expect((await hotPool(dataSource).query('SHOW jit')).rows).toEqual([{ jit: 'off' }]);
  } finally {
    await closeHotPool(dataSource);
    await dataSource.destroy();
  }
});
