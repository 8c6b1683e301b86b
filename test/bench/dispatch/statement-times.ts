import type { DataSource } from 'typeorm';

const LISTED = 14;

export async function resetStatementTimes(database: DataSource): Promise<void> {
  await database.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await database.query('SELECT pg_stat_statements_reset()');
}

/** The statements that took most of Postgres' time, one a line: microseconds per task, calls, mean milliseconds, text. */
export async function readStatementTimes(database: DataSource, tasks: number): Promise<string[]> {
  const rows: Array<{
    total_ms: number;
    calls: string;
    rows: string;
    mean_ms: number;
    wal: string;
    query: string;
  }> = await database.query(
    `SELECT total_exec_time AS total_ms, calls, rows, mean_exec_time AS mean_ms, wal_bytes AS wal,
              regexp_replace(query, '\\s+', ' ', 'g') AS query
         FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT ${LISTED}`,
  );
  return rows.map(
    ({ total_ms, calls, rows: count, mean_ms, wal, query }) =>
      `${((total_ms * 1000) / tasks).toFixed(1).padStart(7)} us/task ${calls.padStart(7)} calls ${count.padStart(8)} rows ` +
      `${mean_ms.toFixed(2).padStart(8)} ms ${(Number(wal) / tasks).toFixed(0).padStart(5)} B/task  ${query.slice(0, 70)}`,
  );
}
