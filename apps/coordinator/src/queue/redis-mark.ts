import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { ConfigError, type Role } from '../config/index.js';
import { FirstContact, requireSuited } from './redis-first-contact.js';
import { reconnectOnError } from './redis-troubles.js';

/** First key of the advisory locks on marks; the second is the mark. */
const MARK_LOCKS = 8_400_005;
const MARK_MAX = 2 ** 31 - 1;
/** A flushed Redis forgets its mark; every coordinator puts it back this often. */
const RESTORE_EVERY_MS = 2_000;
/** Whoever finds no mark waits so long for the others to put it back. */
const RESTORED_WITHIN_MS = 10_000;
const POLL_MS = 250;
const RECONNECT_DELAY_MS = 500;
/** A Redis that does not answer is asked anew, so that nobody holds a lock of the database while waiting for it. */
const COMMAND_TIMEOUT_MS = 5_000;
/** What ioredis says then. */
const TIMED_OUT = 'Command timed out';

export interface RedisOfCoordinator {
  readonly url: string;
  /** Begins the names of all keys. */
  readonly namespace: string;
  readonly role: Role;
}

/**
 * Tells one Redis from another. Coordinators of one database use one Redis, or work that one announces would never reach the
 * others. Addresses say nothing (a name here, a number there), so a mark is left in the Redis, and each coordinator holds a
 * shared lock of the database that names the mark it found. Once all have stopped the queues may move.
 */
export class RedisMark {
  private restoring = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly mark: number,
  ) {
    this.timer = setInterval(() => void this.restore(), RESTORE_EVERY_MS);
    this.timer.unref();
  }

  /**
   * @param client connection to the database, kept for as long as the coordinator runs
   * @param askingLock advisory lock under which coordinators agree one after the other
   * @param tell hears what is wrong with a Redis that does not answer; it is waited for
   * @param signal ends the wait
   * @throws {ConfigError} while coordinators of this database run that use another Redis, and where this one will not do
   */
  static async agree(
    client: pg.Client,
    askingLock: number,
    { url, namespace, role }: RedisOfCoordinator,
    tell: (trouble: string) => void,
    signal?: AbortSignal,
  ): Promise<RedisMark> {
    const redis = new Redis(url, {
      maxRetriesPerRequest: null,
      retryStrategy: () => RECONNECT_DELAY_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      reconnectOnError,
    });
    const contact = new FirstContact(tell, signal);
    redis.on('error', (error) => contact.hear(error));
    const key = `${namespace}:mark`;
    try {
      await answerOf(contact, () => requireSuited(redis, role));
      const untilMs = performance.now() + RESTORED_WITHIN_MS;
      for (;;) {
        const found = parseMark(await answerOf(contact, () => redis.get(key)));
        const agreed = await underLock(client, askingLock, async () => {
          const theirs = await marksInUse(client);
          const mark = found ?? (theirs.length === 0 ? randomInt(1, MARK_MAX) : null);
          if (mark === null || theirs.some((their) => their !== mark)) {
            if (found !== null || performance.now() > untilMs) throw new ConfigError([ADVICE]);
            return null;
          }
          // Where it has gone meanwhile it is asked anew: others wait for the lock.
          if ((await attempt(contact, () => redis.set(key, mark))) === null) return null;
          await client.query('SELECT pg_advisory_lock_shared($1, $2)', [MARK_LOCKS, mark]);
          return mark;
        });
        if (agreed !== null) {
          contact.made();
          return new RedisMark(redis, key, agreed);
        }
        await delay(POLL_MS);
      }
    } catch (error) {
      redis.disconnect();
      throw error;
    }
  }

  leave(): void {
    clearInterval(this.timer);
    this.redis.disconnect();
  }

  private async restore(): Promise<void> {
    // While the Redis is away one try waits for it.
    if (this.restoring) return;
    this.restoring = true;
    try {
      await this.redis.set(this.key, this.mark, 'NX');
    } catch {
      // The next try is soon.
    } finally {
      this.restoring = false;
    }
  }
}

/** Asks until there is an answer. */
async function answerOf<T>(contact: FirstContact, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await contact.wait(attempt(contact, ask));
    if (answer !== null) return answer.value;
    await contact.wait(delay(RECONNECT_DELAY_MS));
  }
}

/** null where there is no answer, after saying what was in the way. */
async function attempt<T>(contact: FirstContact, ask: () => Promise<T>): Promise<{ value: T } | null> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof Error && error.message === TIMED_OUT) contact.hearNothing(COMMAND_TIMEOUT_MS);
    else contact.hear(error);
    return null;
  }
}

const ADVICE =
  'REDIS_URL names another Redis than that of the coordinators that run on this database: give all of them the same, or stop them before the queues move';

async function underLock<T>(client: pg.Client, lock: number, work: () => Promise<T>): Promise<T> {
  await client.query('SELECT pg_advisory_lock($1)', [lock]);
  try {
    return await work();
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [lock]);
  }
}

async function marksInUse(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query<{ mark: string }>(
    `SELECT DISTINCT objid::text AS mark FROM pg_locks
      WHERE locktype = 'advisory' AND granted AND classid = $1 AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [MARK_LOCKS],
  );
  return rows.map(({ mark }) => Number(mark));
}

function parseMark(text: string | null): number | null {
  return text !== null && /^\d{1,10}$/.test(text) && Number(text) <= MARK_MAX ? Number(text) : null;
}
