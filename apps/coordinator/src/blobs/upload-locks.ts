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

/** The connection that all locks of this process are held on, while there are any. */
interface Line {
  readonly client: pg.PoolClient;
  /** Gives it back to its pool, or away where it cannot be used any more. Never rejects. */
  readonly end: () => Promise<void>;
}

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
  private line: Promise<Line> | undefined;
  /** Requests that use the line or wait for it. */
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
        const line = await this.line?.catch(() => undefined);
        // A lock whose connection is gone is gone with it.
        await line?.client
          .query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [nameOf(id)])
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
      const { client } = await this.opened();
      const { rows } = await client.query<{ locked: boolean }>(
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
      await client.query('SELECT pg_notify($1, $2)', [CHANNEL, id]);
      await delay(ASK_EVERY_MS);
    }
  }

  private opened(): Promise<Line> {
    if (this.line) return this.line;
    const forget = (): void => {
      if (this.line === line) this.line = undefined;
    };
    const line = this.open(forget);
    this.line = line;
    line.catch(forget);
    return line;
  }

  /** @param forget is called where it breaks: whoever comes next opens another one */
  private async open(forget: () => void): Promise<Line> {
    const client = await masterPool(this.dataSource).connect();
    let isReleased = false;
    const release = (isUsable: boolean): void => {
      client.off('notification', onWanted);
      // Nobody gives a connection back twice: its pool takes that for a defect.
      if (!isReleased) client.release(!isUsable);
      isReleased = true;
    };
    const onWanted = ({ payload = '' }: pg.Notification): void => void this.held.get(payload)?.();
    const onBroken = (): void => {
      forget();
      release(false);
      // Other coordinators may write from now on.
      for (const requestRelease of this.held.values()) void requestRelease();
    };
    client.on('notification', onWanted).once('error', onBroken);
    try {
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      client.off('error', onBroken);
      release(false);
      throw error;
    }
    const end = async (): Promise<void> => {
      // Nobody holds anything on it any more.
      client.off('error', onBroken);
      const isUsable = await client.query(`UNLISTEN ${CHANNEL}`).then(
        () => true,
        () => false,
      );
      release(isUsable);
    };
    return { client, end };
  }

  private async leave(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    const { line } = this;
    this.line = undefined;
    const opened = await line?.catch(() => undefined);
    await opened?.end();
  }
}

function nameOf(id: string): string {
  return `upload ${id}`;
}
