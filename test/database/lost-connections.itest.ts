import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CoordinatorProcess } from '../e2e/chaos-support.js';
import { createTestDatabase, freePort, type TestDatabase } from '../support/index.js';

let database: TestDatabase;
let directory: string;
let coordinator: CoordinatorProcess;
let rival: pg.Client;
let admin: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'gleaner-lost-'));
  coordinator = new CoordinatorProcess(await freePort(), {
    GLEANER_DATA: directory,
    GLEANER_LOG_LEVEL: process.env['GLEANER_TEST_LOG'] ?? 'silent',
    DATABASE_URL: database.url,
  });
  [rival, admin] = [
    new pg.Client({ connectionString: database.url }),
    new pg.Client({ connectionString: database.url }),
  ];
  await Promise.all([coordinator.start(), rival.connect(), admin.connect()]);
});
afterEach(async () => {
  await Promise.all([rival.end(), admin.end()]);
  await coordinator.stop();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

/** Breaks the connection that waits for the rival, as soon as there is one. */
async function breakWaiting(): Promise<void> {
  const { rows } = await rival.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const broken =
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $1::integer = ANY (pg_blocking_pids(pid))';
  await expect.poll(async () => (await admin.query(broken, [rows[0]?.pid])).rowCount).toBe(1);
}

const signUp = () =>
  fetch(`${coordinator.url}/v1/session/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Ada', email: 'ada@example.org', password: 'correct horse battery' }),
  });

it('a coordinator outlives a connection that breaks while somebody signs up', async () => {
  await rival.query('BEGIN; LOCK TABLE identity_user IN ACCESS EXCLUSIVE MODE');
  const answer = signUp();
  await breakWaiting();
  expect((await answer).status).toBe(503);
  await rival.query('ROLLBACK');
  expect((await signUp()).status).toBe(201);
});
