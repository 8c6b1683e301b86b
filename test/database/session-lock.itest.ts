import { openDataSource, whileAlone } from '@gleaner/coordinator';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, runOn, type TestDatabase } from '../support/index.js';

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await openDataSource({ url: database.url, connections: 4 });
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const alone = <T>(work: () => Promise<T>) => whileAlone(dataSource, 'a test', work);

/** The lock's connection is the only one with any; it is over when this ends. */
const breakLock = (): Promise<void> =>
  runOn(
    database.url,
    `SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );

it('what has one name is done once at a time', async () => {
  const held = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const first = alone(() => {
    begun.resolve();
    return held.promise;
  });
  await begun.promise;
  expect(await alone(() => Promise.resolve('second'))).toBeNull();
  held.resolve('first');
  expect(await first).toEqual({ value: 'first' });
  expect(await alone(() => Promise.resolve('third'))).toEqual({ value: 'third' });
});

it('what has been done, or has failed, is told as such although the lock broke meanwhile', async () => {
  const done = alone(async () => {
    await breakLock();
    return 'done';
  });
  expect(await done).toEqual({ value: 'done' });
  const failed = alone(async () => {
    await breakLock();
    throw new Error('why it failed');
  });
  await expect(failed).rejects.toThrow('why it failed');
});

it('a lock that could not be let go of ends with its connection', async () => {
  const refused = alone(async () => {
    await runOn(
      database.url,
      'ALTER FUNCTION pg_advisory_unlock(bigint) RENAME TO pg_advisory_unlock_elsewhere',
    );
    return 'done';
  });
  expect(await refused).toEqual({ value: 'done' });
  await runOn(
    database.url,
    'ALTER FUNCTION pg_advisory_unlock_elsewhere(bigint) RENAME TO pg_advisory_unlock',
  );
  const held = (): Promise<unknown> =>
    dataSource.query(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
  await expect.poll(held).toEqual([]);
});
