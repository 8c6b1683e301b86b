import 'reflect-metadata';
import { dataSourceOptions } from '@gleaner/coordinator';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../support/index.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const relations = z.array(z.object({ name: z.string() }));
const predicates = z.array(z.object({ name: z.string(), predicate: z.string() }));

async function withDataSource(work: (dataSource: DataSource) => Promise<void>): Promise<void> {
  const dataSource = new DataSource(dataSourceOptions({ url: database.url, connections: 2 }));
  await dataSource.initialize();
  try {
    await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

it('entities say what the migrations make', async () => {
  await withDataSource(async (dataSource) => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });
});

it('every table has its entity', async () => {
  await withDataSource(async (dataSource) => {
    const tables = relations.parse(
      await dataSource.query(
        `SELECT relname AS name FROM pg_class
          WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition`,
      ),
    );
    const described = new Set([
      ...dataSource.entityMetadatas.map(({ tableName }) => tableName),
      'schema_migration',
    ]);
    expect(tables.map(({ name }) => name).filter((name) => !described.has(name))).toEqual([]);
  });
});

/** Conditions of indexes whose order (NULLS FIRST) TypeORM cannot express, so that the entity only names them. */
const NAMED_ONLY = { work_unit_open: "state = 'open'" };

// TypeORM compares the columns of an index, not its condition.
it('partial indexes have the conditions that their entities name', async () => {
  await withDataSource(async (dataSource) => {
    const made = predicates.parse(
      await dataSource.query(
        `SELECT c.relname AS name, pg_get_expr(i.indpred, i.indrelid) AS predicate
           FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
          WHERE i.indpred IS NOT NULL AND c.relnamespace = 'public'::regnamespace AND NOT t.relispartition`,
      ),
    );
    const named = dataSource.entityMetadatas
      .flatMap(({ indices }) => indices)
      .filter(({ where }) => where !== undefined)
      .map(({ name, where }) => [name, normalise(where ?? '')]);
    expect({ ...NAMED_ONLY, ...Object.fromEntries(named) }).toEqual(
      Object.fromEntries(made.map(({ name, predicate }) => [name, normalise(predicate)])),
    );
  });
});

/** Postgres puts parentheses around conditions, and casts into enumerations. */
function normalise(condition: string): string {
  return condition.replaceAll(/::\w+/g, '').replaceAll(/[()]/g, '').replaceAll(/\s+/g, ' ').trim();
}
