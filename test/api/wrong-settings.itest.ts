import { ConfigError } from '@gleaner/coordinator';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApplication, createTestDatabase, type TestDatabase } from '../support/index.js';

const STRANGER = { name: 'gleaner_test_stranger', password: 'stranger' };

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(`CREATE ROLE ${STRANGER.name} LOGIN PASSWORD '${STRANGER.password}'`);
});
afterAll(async () => {
  await admin.query(`DROP ROLE ${STRANGER.name}`);
  await admin.end();
  await database.drop();
});

async function whyNot(
  change: (url: URL) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const url = new URL(database.url);
  change(url);
  return await createTestApplication({ databaseUrl: url.href, env }).then(
    async (gleaner) => {
      await gleaner.close();
      return 'it started';
    },
    (error: unknown) => error,
  );
}

it.each<[string, (url: URL) => void]>([
  ['is not there', (url) => (url.port = '1')],
  ['does not know the database', (url) => (url.pathname = '/nowhere')],
  ['does not accept the password', (url) => (url.password = 'wrong')],
  [
    'lets its role make no tables',
    (url) => {
      url.username = STRANGER.name;
      url.password = STRANGER.password;
    },
  ],
])('a database server that %s is told with the name of the setting', async (_, change) => {
  const error = await whyNot(change);
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).toMatch(/DATABASE_URL: the database cannot be used: \w/);
});

it('a database that cannot hold every text is refused before anything is made in it', async () => {
  await admin.query("CREATE DATABASE gleaner_test_bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
  try {
    const error = await whyNot((url) => (url.pathname = '/gleaner_test_bytes'));
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toMatch(/DATABASE_URL: .*SQL_ASCII.*ENCODING 'UTF8'/);
  } finally {
    await admin.query('DROP DATABASE gleaner_test_bytes WITH (FORCE)');
  }
});

it('an address that is not of this machine is told with the name of the setting', async () => {
  const error = await whyNot(() => undefined, { GLEANER_HOST: '192.0.2.1' });
  expect(error).toBeInstanceOf(ConfigError);
  expect(String(error)).toMatch(/GLEANER_HOST: 192\.0\.2\.1 is no address of this machine/);
});
