import type { DataSource } from 'typeorm';
import type pg from 'pg';

/** A pool or one of its connections: both run statements, the latter inside its transaction. */
export type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>;

/** TypeORM's own pool. The few statements that run for every batch of tasks go there directly, at half the cost. */
export function hotPool(dataSource: DataSource): pg.Pool {
  // `as`: the Postgres driver keeps the pool of its master connection under this name; other drivers are not used.
  return (dataSource.driver as unknown as { readonly master: pg.Pool }).master;
}

/** A statement that each connection parses and plans once, by its name. */
export class PreparedStatement<Row extends object> {
  constructor(
    private readonly name: string,
    private readonly text: string,
  ) {}

  /** @param values array parameters as array literals (see `pg-array.ts`): node-postgres' own encoding costs more */
  async run(connection: Queryable, values: readonly unknown[]): Promise<Row[]> {
    const query = { name: this.name, text: this.text, values: [...values] };
    const result: { rows: Row[] } = await connection.query<Row>(query);
    return result.rows;
  }
}

/** Runs `work` in a transaction on one connection of the pool. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: unknown) => {
      broken = rollbackError instanceof Error ? rollbackError : new Error(String(rollbackError));
    });
    throw error;
  } finally {
    // A connection whose rollback failed is in an unknown state: the pool must not hand it out again.
    client.release(broken);
  }
}

const RETRYABLE = new Set(['40001', '40P01', '23505']);

/** A deadlock, a serialization failure, or two writers of one unique key: trying again meets a settled state. */
export function isRetryable(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    RETRYABLE.has(error.code)
  );
}
