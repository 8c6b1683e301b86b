import { ConfigError, openDataSource } from '@gleaner/coordinator';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  aPerson,
  clientWith,
  createTestApplication,
  DispatchFixture,
  honestResult,
  operatorOf,
  runOn,
} from '../support/index.js';

let dispatch: DispatchFixture;
let url: URL;
beforeAll(async () => {
  dispatch = await DispatchFixture.start();
  url = new URL(dispatch.gleaner.config.databaseUrl ?? '');
});
afterEach(() => letWrite(true));
afterAll(() => dispatch.close());

/** For sessions that begin from now on, as whoever provides a database says it; those that go on stay as they are. */
async function letWrite(isLet: boolean): Promise<void> {
  const maintenance = Object.assign(new URL(url), { pathname: '/postgres' });
  const name = url.pathname.slice(1);
  await runOn(maintenance.href, `ALTER DATABASE ${name} SET default_transaction_read_only = ${!isLet}`);
}

async function endSessions(): Promise<void> {
  await runOn(
    url.href,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

it('a database that takes nothing is told as such, and used again without a restart when it does', async () => {
  await dispatch.aJob();
  const host = await dispatch.aHost();
  const result = honestResult(await dispatch.aTask(host));
  const operator = operatorOf(dispatch.gleaner);
  // Whose token was not used before: that it is now cannot be noted.
  const scientist = clientWith(dispatch.gleaner, (await aPerson(dispatch.gleaner)).token);
  const makeAccount = async () => (await operator.post('/v1/accounts', { name: 'somebody' })).status;

  await letWrite(false);
  await endSessions();
  const reported = async () => await host.report(result).catch(String);
  await expect.poll(reported).toMatch(/503 .*"code":"unavailable".*takes nothing: it is read-only/);
  await expect.poll(makeAccount).toBe(503);
  const health = async (): Promise<unknown> => (await dispatch.gleaner.http.get('/health/ready')).body;
  await expect.poll(health).toMatchObject({
    status: 'degraded',
    details: { database: { status: 'degraded', message: 'it is read-only' } },
  });
  await scientist.get('/v1/jobs').expect(200);

  await letWrite(true);
  await expect.poll(reported).toMatchObject({ reports: [{ status: 'accepted' }] });
  await expect.poll(makeAccount).toBe(201);
});

it('a session in which nothing can be written is left once that shows', async () => {
  const dataSource = await openDataSource({ url: url.href, connections: 2 });
  const write = () => dataSource.query('UPDATE installation SET workers_seen_at = now()');
  try {
    await dataSource.query('SET default_transaction_read_only = on');
    await expect(write()).rejects.toThrow(/read-only/);
    await write();
  } finally {
    await dataSource.destroy();
  }
});

it('whoever starts on a database that takes nothing is told so', async () => {
  await letWrite(false);
  const starting = createTestApplication({ databaseUrl: url.href });
  await expect(starting).rejects.toThrow(/DATABASE_URL: the database cannot be used: .*read-only/);
  await expect(starting).rejects.toBeInstanceOf(ConfigError);
});
