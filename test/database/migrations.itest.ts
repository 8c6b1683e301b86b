import 'reflect-metadata';
import { dataSourceOptions } from '@gleaner/coordinator';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { seedJob } from '../e2e/dispatch-fixture.js';
import { createTestDatabase, type TestDatabase } from '../support/index.js';

let database: TestDatabase;
let dataSource: DataSource;
beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  dataSource = await new DataSource(dataSourceOptions({ url: database.url, connections: 2 })).initialize();
});
afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

/** Every object that a migration could leave behind: kind and name, of our schema. */
async function schemaObjects(): Promise<string[]> {
  const rows = z.array(z.object({ object: z.string() })).parse(
    await dataSource.query(`
      SELECT 'relation ' || relname AS object FROM pg_class WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
      UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
      ORDER BY 1`),
  );
  return rows.map(({ object }) => object);
}

async function undoAll(): Promise<void> {
  for (const _ of dataSource.migrations) await dataSource.undoLastMigration();
}

/** Rows in the tables that the first migration makes, as text; it keeps them when later ones are undone and redone. */
async function foundationRows(): Promise<unknown> {
  return await dataSource.query(
    // Only columns that it makes itself: later ones come and go with theirs.
    `SELECT (SELECT json_agg(a ORDER BY id) FROM (SELECT id, name, anonymous, created_at FROM account) a)::text AS accounts,
            (SELECT json_agg(j ORDER BY id) FROM (SELECT id, name, spec, state, created_at FROM job) j)::text AS jobs`,
  );
}

describe('migrations', () => {
  it('make the schema of an empty database, unmake all of it, and make the same again', async () => {
    const before = await schemaObjects();
    await dataSource.runMigrations();
    const made = await schemaObjects();
    expect(made.length).toBeGreaterThan(50);
    await undoAll();
    // TypeORM's own table of what ran, and the key of it that TypeORM names.
    const bookkeeping = /schema_migration|PK_/;
    expect((await schemaObjects()).filter((object) => !bookkeeping.test(object))).toEqual(before);
    await dataSource.runMigrations();
    expect(await schemaObjects()).toEqual(made);
  });

  it('keep what earlier ones hold when the last is undone and redone on a filled database', async () => {
    await dataSource.runMigrations();
    const [{ id: accountId }] = z
      .tuple([z.object({ id: z.string() })])
      .parse(
        await dataSource.query("INSERT INTO account (name, anonymous) VALUES ('Ada', false) RETURNING id"),
      );
    await seedJob(dataSource, { units: 25, accountId });
    const made = await schemaObjects();
    const rows = await foundationRows();
    for (let undone = 1; undone < dataSource.migrations.length; undone++) {
      for (let i = 0; i < undone; i++) await dataSource.undoLastMigration();
      expect(await foundationRows()).toEqual(rows);
      await dataSource.runMigrations();
      expect(await schemaObjects()).toEqual(made);
    }
    await undoAll();
    await dataSource.runMigrations();
    expect(await foundationRows()).toEqual([{ accounts: null, jobs: null }]);
  });

  it('run once when two coordinators start together', async () => {
    const second = await new DataSource(
      dataSourceOptions({ url: database.url, connections: 2 }),
    ).initialize();
    const { openDataSource } = await import('@gleaner/coordinator');
    const opened = await Promise.all([
      openDataSource({ url: database.url, connections: 2 }),
      openDataSource({ url: database.url, connections: 2 }),
    ]);
    const [{ count }] = z
      .tuple([z.object({ count: z.string() })])
      .parse(await second.query('SELECT count(*) FROM schema_migration'));
    expect(Number(count)).toBe(dataSource.migrations.length);
    await Promise.all([...opened, second].map((source) => source.destroy()));
  });
});
