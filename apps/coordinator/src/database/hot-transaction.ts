import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { hotPool } from './hot-pool.js';

/**
 * Runs `work` as one transaction on a connection of the hot pool: all of it, or nothing.
 *
 * @throws what `work` throws, or the database where it cannot be committed
 */
export async function hotTransaction<T>(
  dataSource: DataSource,
  work: (connection: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const connection = await hotPool(dataSource).connect();
  let isUsable = true;
  try {
    await connection.query('BEGIN');
    const result = await work(connection);
    await connection.query('COMMIT');
    return result;
  } catch (error) {
    // With a connection that broke its transaction is gone as well: what failed first is what counts.
    isUsable = await connection.query('ROLLBACK').then(
      () => true,
      () => false,
    );
    throw error;
  } finally {
    connection.release(!isUsable);
  }
}
