import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database of its own, migrated and empty; `empty: true` leaves out the schema. */
export async function createTestDatabase({ empty = false } = {}): Promise<TestDatabase> {
  const template = new URL(inject('templateDatabaseUrl'));
  const name = `test_${randomBytes(8).toString('hex')}`;
  const source = empty ? 'template0' : template.pathname.slice(1);
  await runAdmin(template, `CREATE DATABASE ${name} TEMPLATE ${source}`);
  const url = new URL(template);
  url.pathname = `/${name}`;
  // A copy is an installation of its own.
  if (!empty) await run(url, 'UPDATE installation SET namespace = left(md5(current_database()), 12)');
  return { url: url.href, drop: () => runAdmin(template, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function runAdmin(server: URL, statement: string): Promise<void> {
  const url = new URL(server);
  url.pathname = '/postgres';
  await run(url, statement);
}

async function run(url: URL, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
