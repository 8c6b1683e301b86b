import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { CONNECTION_IDLE_MS, dataSourceOptions } from './data-source.js';
import { closeHotPool, hotPool } from './hot-pool.js';

let dataSource: DataSource;
afterEach(() => closeHotPool(dataSource));

it('has the password of the pool beside it, and keeps connections for the next busy moment as long as that does', () => {
  dataSource = new DataSource(
    dataSourceOptions({ url: 'postgres://ada:secret@localhost/x', connections: 2 }),
  );
  // Connecting makes it; nothing here needs a server.
  const settings: pg.PoolConfig = z.looseObject({}).parse(dataSource.options.extra);
  const master = new pg.Pool({ user: 'ada', password: 'secret', ...settings });
  Object.assign(dataSource.driver, { master });
  const { options } = hotPool(dataSource);
  expect(options.password).toBe('secret');
  expect(options.idleTimeoutMillis).toBe(CONNECTION_IDLE_MS);
  expect(master.options.idleTimeoutMillis).toBe(CONNECTION_IDLE_MS);
});
