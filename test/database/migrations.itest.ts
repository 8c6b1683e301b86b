import 'reflect-metadata';
import { dataSourceOptions, openDataSource } from '@gleaner/coordinator';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, seedJob, type TestDatabase } from '../support/index.js';
import { Rival } from '../support/rival.js';

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

/** Undoes the migration whose name begins so, and all after it. */
async function undoFrom(name: string): Promise<void> {
  const from = dataSource.migrations.findIndex((migration) => migration.name?.startsWith(name) ?? false);
  for (let at = dataSource.migrations.length; at > from; at -= 1) await dataSource.undoLastMigration();
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

  it('keep what earlier ones hold when later ones are undone and redone on a filled database', async () => {
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
      await dataSource.undoLastMigration();
      expect(await foundationRows(), `${undone} undone`).toEqual(rows);
    }
    await dataSource.runMigrations();
    expect(await schemaObjects()).toEqual(made);
    expect(await foundationRows()).toEqual(rows);
    await undoAll();
    await dataSource.runMigrations();
    expect(await foundationRows()).toEqual([{ accounts: null, jobs: null }]);
  });

  it('make one row of the boards of what one person had claimed, each period by itself, and two of it again', async () => {
    const rows = () =>
      dataSource.query(
        `SELECT id::int, name, cycles::int, tasks::int, recent, day_cycles::int AS day, month_cycles::int AS month
           FROM board_entry JOIN board_name USING (kind, id) ORDER BY id`,
      );
    await dataSource.runMigrations();
    await undoFrom('Persons');
    await dataSource.query(`
      INSERT INTO account (id, name, anonymous, person_id)
      VALUES (1, 'anonymous browser', true, 1), (2, 'Ada', false, 1), (3, 'Bob', false, NULL);
      INSERT INTO account_credit (account_id, cycles, tasks) VALUES (1, 100, 1), (2, 20, 2), (3, 3, 3);
      INSERT INTO board_entry (kind, id, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles)
      VALUES ('accounts', 1, 100, 1, 1, '2026-11-20', 100, '2026-11-16', 100, '2026-11-01', 100),
             ('accounts', 2, 20, 2, 2, '2026-11-21', 5, '2026-11-16', 5, '2026-11-01', 20),
             ('accounts', 3, 3, 3, 3, '2026-11-21', 3, '2026-11-16', 3, '2026-11-01', 3);
      INSERT INTO board_name (kind, id, name) SELECT 'accounts', id, name FROM account;`);
    await dataSource.runMigrations();
    const bob = { id: 3, name: 'Bob', cycles: 3, tasks: 3, recent: 3, day: 3, month: 3 };
    const ada = { id: 2, name: 'Ada', cycles: 120, tasks: 3, recent: 3, day: 5, month: 120 };
    expect(await rows()).toEqual([ada, bob]);
    const personIds = () =>
      dataSource.query('SELECT id::int, person_id::int AS person FROM account ORDER BY id');
    expect(await personIds()).toMatchObject([{ person: 2 }, { person: 2 }, { person: null }]);
    await undoFrom('Persons');
    expect(await rows()).toMatchObject([{ id: 1, cycles: 100 }, { id: 2, cycles: 20 }, bob]);
    expect(await personIds()).toMatchObject([{ person: 1 }, { person: 1 }, { person: null }]);
  });

  it('count what accounts have uploaded before, by no less than what the shortest content counts, and no answers', async () => {
    const uploadRoom = dataSource.migrations.findIndex(({ name }) => name?.startsWith('UploadRoom') ?? false);
    await dataSource.runMigrations();
    for (let at = dataSource.migrations.length; at > uploadRoom; at -= 1)
      await dataSource.undoLastMigration();
    await dataSource.query(
      "INSERT INTO account (id, name, anonymous) VALUES (1, 'Ada', false), (2, 'Bob', false)",
    );
    await seedJob(dataSource, { units: 1, accountId: '1' });
    await dataSource.query(`
      INSERT INTO blob (sha256, size_bytes, chunk_bytes, manifest_id, signature)
      SELECT sha256(size::text::bytea), size, 262144, sha256('m'), '' FROM unnest('{1,100000,3000000}'::int[]) size;
      INSERT INTO blob_grant (sha256, account_id) SELECT sha256, 1 FROM blob;
      INSERT INTO blob_grant (sha256, account_id) SELECT sha256, 2 FROM blob WHERE size_bytes = 3000000;
      UPDATE job SET output_sha256 = sha256('3000000');`);
    await dataSource.runMigrations();
    const rooms = () =>
      dataSource.query(
        'SELECT account_id::int AS account, held_bytes::int AS held FROM upload_room ORDER BY 1',
      );
    expect(await rooms()).toEqual([
      { account: 1, held: 65_536 + 100_000 },
      { account: 2, held: 3_000_000 },
    ]);
    await dataSource.query("DELETE FROM blob_grant WHERE sha256 = sha256('100000') OR account_id = 2");
    expect(await rooms()).toEqual([
      { account: 1, held: 65_536 },
      { account: 2, held: 0 },
    ]);
  });

  it('have every partition looked after alike, also those that are made later', async () => {
    await dataSource.runMigrations();
    await dataSource.query('SELECT make_unit_partitions(2 * (1 << 22))');
    const upkeep = (table: string): Promise<unknown[]> =>
      dataSource.query(
        `SELECT c.reloptions, (SELECT array_agg(DISTINCT a.attstattarget) FROM pg_attribute a
                                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS samples
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = $1::regclass ORDER BY c.relname`,
        [table],
      );
    const delay = 'autovacuum_vacuum_cost_delay=5';
    const units = { reloptions: [delay], samples: [10] };
    const tasks = { reloptions: ['fillfactor=25', delay], samples: [10] };
    expect(await upkeep('work_unit')).toEqual([units, units, units]);
    expect(await upkeep('task')).toEqual([tasks, tasks, tasks]);
  });

  it('of a newer version keep an older one from starting', async () => {
    await dataSource.runMigrations();
    await dataSource.query(
      `INSERT INTO schema_migration ("timestamp", name) VALUES (20991231000000, 'Tomorrow20991231000000')`,
    );
    const opening = openDataSource({ url: database.url, connections: 2 });
    await expect(opening).rejects.toThrow(/a newer version .*Tomorrow20991231000000/);
  });

  it.each([
    ['another coordinator migrates', 'SELECT pg_advisory_xact_lock(8400001)'],
    ['a transaction is open that has read what they change', 'SELECT FROM installation'],
  ])('say whom they wait for where %s, and go on by themselves', async (_what, lock) => {
    await dataSource.runMigrations();
    // It changes what is read in the second case.
    await undoFrom('WorkersSeen');
    await using rival = await Rival.holding(dataSource, lock);
    const told = Promise.withResolvers<string>();
    const opening = openDataSource({ url: database.url, connections: 2, onLockWait: told.resolve });
    const [holder] = z
      .tuple([z.object({ pid: z.number() })])
      .parse(await rival.manager.query('SELECT pg_backend_pid() AS pid'));
    expect(await told.promise).toMatch(
      new RegExp(
        `^session ${holder.pid} of "gleaner-coordinator" from .*\\(idle in transaction since .*Z\\)$`,
      ),
    );
    await rival.commit();
    await (await opening).destroy();
  });

  it.each([
    ['another coordinator migrates', 'SELECT pg_advisory_xact_lock(8400001)'],
    ['a transaction is open that has read what they change', 'SELECT FROM installation'],
  ])('wait no longer where %s once they are told to stop, and are not half done', async (_what, lock) => {
    await dataSource.runMigrations();
    await undoFrom('WorkersSeen');
    const done = (): Promise<unknown> => dataSource.query('SELECT name FROM schema_migration ORDER BY id');
    const before = await done();
    await using _ = await Rival.holding(dataSource, lock);
    const stopped = new AbortController();
    const told = Promise.withResolvers<string>();
    const { signal } = stopped;
    const opening = openDataSource({ url: database.url, connections: 2, onLockWait: told.resolve, signal });
    await told.promise;
    stopped.abort(new Error('told to stop'));
    await expect(opening).rejects.toBe(signal.reason);
    expect(await done()).toEqual(before);
  });

  it('run once when two coordinators start together', async () => {
    const second = await new DataSource(
      dataSourceOptions({ url: database.url, connections: 2 }),
    ).initialize();
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
