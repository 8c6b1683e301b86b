import { openDataSource } from '@gleaner/coordinator';
import { expect, it } from 'vitest';
import { createTestDatabase, runOn, startTcpRelay } from '../support/index.js';

it('whoever waits for a server that is gone without a word is told, and others reach the one that took over', async () => {
  const database = await createTestDatabase();
  const relay = await startTcpRelay(Number(new URL(database.url).port));
  const url = Object.assign(new URL(database.url), { port: String(relay.port) });
  const dataSource = await openDataSource({ url: url.href, connections: 2 });
  try {
    const waiting = dataSource.query('SELECT pg_sleep(3600)');
    const asked = "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3600)'";
    await expect.poll(() => dataSource.query<object[]>(asked)).toHaveLength(1);
    relay.fallSilent();
    await runOn(
      database.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await expect(waiting).rejects.toThrow(/Connection terminated/);
    const ask = () => dataSource.query('SELECT 1 AS one').catch(String);
    await expect.poll(ask, { timeout: 100_000 }).toEqual([{ one: 1 }]);
  } finally {
    relay.close();
    await dataSource.destroy();
    await database.drop();
  }
});
