import { closeHotPool, hotPool, hotTransaction, openDataSource } from '@gleaner/coordinator';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, runOn, type TestDatabase } from '../support/index.js';

let database: TestDatabase;
let dataSource: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await openDataSource({ url: database.url, connections: 2 });
});
afterAll(async () => {
  await closeHotPool(dataSource);
  await dataSource.destroy();
  await database.drop();
});

it('a transaction is committed as a whole, or taken back where it fails', async () => {
  const nameOf = async (): Promise<unknown> =>
    (await hotPool(dataSource).query<{ namespace: string }>('SELECT namespace FROM installation')).rows[0];
  const rename = (name: string, after: () => void): Promise<void> =>
    hotTransaction(dataSource, async (connection) => {
      await connection.query('UPDATE installation SET namespace = $1', [name]);
      after();
    });
  await rename('first', () => undefined);
  const failing = rename('second', () => {
    throw new Error('on second thoughts');
  });
  await expect(failing).rejects.toThrow('on second thoughts');
  expect(await nameOf()).toEqual({ namespace: 'first' });
});

it('a transaction says what failed first where its connection is gone by then, which nobody gets again', async () => {
  const failing = hotTransaction(dataSource, async (connection) => {
    const { rows } = await connection.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = new Promise((resolve) => connection.once('end', resolve));
    await runOn(database.url, `SELECT pg_terminate_backend(${rows[0]?.pid})`);
    await ended;
    throw new Error('what failed first');
  });
  await expect(failing).rejects.toThrow('what failed first');
  expect(
    await hotTransaction(dataSource, async (connection) => (await connection.query('SELECT')).rowCount),
  ).toBe(1);
});
