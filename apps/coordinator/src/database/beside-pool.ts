import pg from 'pg';
import { SESSION_SETTINGS, settle } from './session-settings.js';

/** Asks a pool's server on a connection that is none of the pool's: all of these may wait. */
export async function besidePool<T>(
  pool: pg.Pool,
  withinMs: number,
  ask: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { options } = pool;
  const { password } = options; // A pool keeps it out of what spreading copies.
  const client = new pg.Client({
    ...options,
    ...(password === undefined ? {} : { password }),
    connectionTimeoutMillis: withinMs,
    query_timeout: withinMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await settle(client, SESSION_SETTINGS);
    return await ask(client);
  } finally {
    void client.end().catch(() => undefined);
  }
}
