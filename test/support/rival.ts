import type { DataSource, QueryRunner } from 'typeorm';
import { expect } from 'vitest';
import { z } from 'zod';

const rows = z.tuple([z.object({ pid: z.number() })]);
const waiting = z.array(z.object({ pid: z.number() }));

/** Whoever waits for the backend `$1`, or for somebody who does, by the time they began to. */
const WAITING = `
  WITH RECURSIVE waits (pid) AS (
    SELECT $1::integer
     UNION
    SELECT a.pid FROM waits w JOIN pg_stat_activity a ON a.wait_event_type = 'Lock' AND w.pid = ANY (pg_blocking_pids(a.pid))
  )
  SELECT pid FROM waits WHERE pid <> $1`;

/** Has something of a database locked, so that what is begun meanwhile waits until this lets go or is disposed of. */
export class Rival implements AsyncDisposable {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly runner: QueryRunner,
    private readonly pid: number,
  ) {}

  /** @param lock a statement that locks, such as `SELECT … FOR UPDATE` */
  static async holding(
    dataSource: DataSource,
    lock: string,
    parameters: readonly unknown[] = [],
  ): Promise<Rival> {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(lock, [...parameters]);
    const [{ pid }] = rows.parse(await runner.query('SELECT pg_backend_pid() AS pid'));
    return new Rival(dataSource, runner, pid);
  }

  /** Resolves with the backends that wait for this one, or for each other behind it, once there are so many. */
  async isWaitedForBy(count: number): Promise<number[]> {
    let pids: number[] = [];
    const look = async (): Promise<number[]> => {
      pids = waiting.parse(await this.dataSource.query(WAITING, [this.pid])).map(({ pid }) => pid);
      return pids;
    };
    await expect.poll(look).toHaveLength(count);
    return pids;
  }

  /** Keeps what it has written, and lets the others go on. */
  async commit(): Promise<void> {
    await this.runner.commitTransaction();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.runner.isTransactionActive) await this.runner.rollbackTransaction();
    await this.runner.release();
  }
}
