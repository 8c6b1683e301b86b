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
  const database = await copyOf(template, empty ? 'template0' : template.pathname.slice(1));
  // A copy is an installation of its own.
  if (!empty)
    await runOn(database.url, 'UPDATE installation SET namespace = left(md5(current_database()), 12)');
  return database;
}

/** What the database holds now, in another one: a dump that was read in. Nobody may be connected to it. */
export async function restoreTestDatabase({ url }: TestDatabase): Promise<TestDatabase> {
  return await copyOf(new URL(url), new URL(url).pathname.slice(1));
}

async function copyOf(server: URL, source: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await runAdmin(server, `CREATE DATABASE ${name} TEMPLATE ${source}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runAdmin(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function runAdmin(server: URL, statement: string): Promise<void> {
  const url = new URL(server);
  url.pathname = '/postgres';
  await runOn(url.href, statement);
}

/** Runs a statement on a connection of its own. */
export async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
