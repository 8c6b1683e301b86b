import { setTimeout as delay } from 'node:timers/promises';
import { type Lock, type Locker, MemoryLocker, type RequestRelease } from '@tus/server';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { masterPool } from '../database/index.js';
import { DomainError } from '../http/index.js';

/** How long a request waits for one at another coordinator to end, which is asked to. */
const WAIT_MS = 30_000;
const ASK_EVERY_MS = 250;
/** On it waiting requests name their uploads (https://www.postgresql.org/docs/current/sql-listen.html). */
const CHANNEL = 'gleaner_upload_wanted';

/**
 * One request at a time writes to an upload: whoever still wrote after the last part had come would change content whose digest is
 * known by then. Whoever comes later has the one before end: it may be that of a connection that nobody holds any more. Within this
 * process tus sees to it; coordinators of one data directory hold locks of the database, all of a process on one connection,
 * which end with it.
 */
export class UploadLocks implements Locker {
  private readonly local = new MemoryLocker();
  /** Asks those who write to end, by upload. */
  private readonly held = new Map<string, RequestRelease>();
  private connecting: Promise<pg.PoolClient> | undefined;
  /** Requests that use the connection or wait for it. */
  private users = 0;

  constructor(private readonly dataSource: DataSource) {}

  newLock(id: string): Lock {
    const local = this.local.newLock(id);
    return {
      lock: async (signal, requestRelease) => {
        await local.lock(signal, requestRelease);
        this.users += 1;
        try {
          await this.take(id, signal);
          this.held.set(id, requestRelease);
        } catch (error) {
          await this.leave();
          await local.unlock();
          throw error;
        }
      },
      unlock: async () => {
        this.held.delete(id);
        const connection = await this.connecting?.catch(() => undefined);
        // A lock whose connection is gone is gone with it.
        await connection
          ?.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [nameOf(id)])
          .catch(() => undefined);
        await this.leave();
        await local.unlock();
      },
    };
  }

  /** @throws {DomainError} `server-busy` where a request at another coordinator does not end */
  private async take(id: string, signal: AbortSignal): Promise<void> {
    const untilMs = performance.now() + WAIT_MS;
    for (;;) {
      const connection = await this.connection();
      const { rows } = await connection.query<{ locked: boolean }>(
        'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
        [nameOf(id)],
      );
      if (rows[0]?.locked) return;
      if (signal.aborted || performance.now() > untilMs) {
        throw new DomainError(
          'server-busy',
          'Another request writes to this upload: try again when it has ended.',
        );
      }
      await connection.query('SELECT pg_notify($1, $2)', [CHANNEL, id]);
      await delay(ASK_EVERY_MS);
    }
  }

  private connection(): Promise<pg.PoolClient> {
    this.connecting ??= this.connect().catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  private async connect(): Promise<pg.PoolClient> {
    const connection = await masterPool(this.dataSource).connect();
    connection.once('error', (error: Error) => this.lose(connection, error));
    connection.on('notification', ({ payload = '' }) => void this.held.get(payload)?.());
    await connection.query(`LISTEN ${CHANNEL}`);
    return connection;
  }

  /** Other coordinators may write from now on. */
  private lose(connection: pg.PoolClient, error: Error): void {
    this.connecting = undefined;
    connection.release(error);
    for (const requestRelease of this.held.values()) void requestRelease();
  }

  private async leave(): Promise<void> {
    this.users -= 1;
    const connecting = this.connecting;
    if (this.users > 0 || !connecting) return;
    this.connecting = undefined;
    const connection = await connecting.catch(() => undefined);
    if (!connection) return;
    const isUsable = await connection.query(`UNLISTEN ${CHANNEL}`).then(
      () => true,
      () => false,
    );
    // From here on its pool looks after it.
    connection.removeAllListeners('error').removeAllListeners('notification').release(!isUsable);
  }
}

function nameOf(id: string): string {
  return `upload ${id}`;
}
