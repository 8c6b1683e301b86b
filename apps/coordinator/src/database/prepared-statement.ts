import type pg from 'pg';

/** A pool or one of its connections: both run statements, the latter inside its transaction. */
export type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>;

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
