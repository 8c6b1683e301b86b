import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { expect } from 'vitest';
import { z } from 'zod';

const rows = z.tuple([z.object({ pid: z.number() })]);
const waiting = z.array(z.object({ pid: z.number(), query: z.string() }));

/** What the keeping of leaderboards waits with, which comes by itself and at any time, behind whoever changes names. */
const KEEPING_BOARDS = '%pg_advisory_xact_lock(hashtext($1))%';

/** Whoever waits for the backend `$1`, or for somebody who does, because of what was begun. */
const WAITING = `
  WITH RECURSIVE waits (pid) AS (
    SELECT $1::integer
     UNION
    SELECT a.pid FROM waits w JOIN pg_stat_activity a ON a.wait_event_type = 'Lock' AND w.pid = ANY (pg_blocking_pids(a.pid))
  )
  SELECT pid, a.query FROM waits JOIN pg_stat_activity a USING (pid) WHERE pid <> $1 AND a.query NOT LIKE $2`;

/** Has something of a database locked, so that what is begun meanwhile waits until this lets go or is disposed of. */
export class Rival implements AsyncDisposable {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly runner: QueryRunner,
    private readonly pid: number,
  ) {}

  /** Has nothing locked before something is done by its manager. */
  static async begin(dataSource: DataSource): Promise<Rival> {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    const [{ pid }] = rows.parse(await runner.query('SELECT pg_backend_pid() AS pid'));
    return new Rival(dataSource, runner, pid);
  }

  /** @param lock a statement that locks, such as `SELECT … FOR UPDATE` */
  static async holding(
    dataSource: DataSource,
    lock: string,
    parameters: readonly unknown[] = [],
  ): Promise<Rival> {
    const rival = await Rival.begin(dataSource);
    await rival.manager.query(lock, [...parameters]);
    return rival;
  }

  /** Has the lock under which a blob is stored and removed, so that nobody else does either. */
  static storing(dataSource: DataSource, digest: string): Promise<Rival> {
    const lock = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))';
    return Rival.holding(dataSource, lock, [`blob ${digest}`]);
  }

  /** Of its transaction. */
  get manager(): EntityManager {
    return this.runner.manager;
  }

  /** The backends that wait for this one now, or for each other behind it, and what each wants to do. */
  async waiting(): Promise<ReadonlyArray<{ pid: number; query: string }>> {
    return waiting.parse(await this.dataSource.query(WAITING, [this.pid, KEEPING_BOARDS]));
  }

  /** Resolves with the backends that wait once there are so many. */
  async isWaitedForBy(count: number): Promise<number[]> {
    let all: Awaited<ReturnType<Rival['waiting']>> = [];
    try {
      await expect.poll(async () => (all = await this.waiting())).toHaveLength(count);
    } catch (error) {
      const queries = all.map(({ query }) => query).join('\n\n');
      throw new Error(`not ${count} but ${all.length} are waiting:\n${queries}`, { cause: error });
    }
    return all.map(({ pid }) => pid);
  }

  /** Resolves once somebody waits, where what a coordinator does by itself may wait as well. */
  async isWaitedFor(): Promise<void> {
    await expect.poll(() => this.waiting()).not.toHaveLength(0);
  }

  /** Ends the connection of the one who waits, as soon as somebody does. */
  async breakWaiting(): Promise<void> {
    await this.dataSource.query('SELECT pg_terminate_backend($1)', await this.isWaitedForBy(1));
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
