import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** A coordinator that crashed while it held a lock keeps others waiting no longer than this. */
const HELD_MS = 2_000;
const RETRY_MS = 5;
const TRIES = 400;
/** A holder that was too slow begins anew; so often it is not the only one that is. */
const TURNS = 3;

/** Deletes the lock only where it is still ours. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/** Carries all commands out, or none where the lock has another holder by now. */
const WRITE = `
  if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
  for _, command in ipairs(cjson.decode(ARGV[2])) do redis.call(unpack(command)) end
  return 1`;

/** A command of Redis and its arguments, such as `['hset', key, field, value]`. */
export type RedisCommand = readonly [name: string, ...parts: string[]];

/** What was read under a lock no longer counts: it has passed on to somebody else. */
class LockLostError extends Error {
  override readonly name = 'LockLostError';
}

/** A lock that is held, for as long as nothing has kept its holder from going on. */
export class HeldLock {
  constructor(
    private readonly redis: Redis,
    private readonly name: string,
    private readonly token: string,
  ) {}

  /**
   * Carries out all commands at once, provided that the lock is still held: what a holder that stalled has decided, on grounds of what
   * others may have changed since, is never written.
   */
  async write(commands: readonly RedisCommand[]): Promise<void> {
    if (commands.length === 0) return;
    const written = await this.redis.eval(WRITE, 1, this.name, this.token, JSON.stringify(commands));
    if (z.number().parse(written) === 0) throw new LockLostError(`the lock ${this.name} was lost`);
  }

  async release(): Promise<void> {
    await this.redis.eval(RELEASE, 1, this.name, this.token);
  }
}

/** One holder at a time for each name, among all coordinators; within this process in order of arrival. */
export class RedisLock {
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(private readonly redis: Redis) {}

  /**
   * @param act reads, and writes only by {@link HeldLock.write}; called again where the lock had passed on before it wrote
   */
  async hold<T>(name: string, act: (lock: HeldLock) => Promise<T>): Promise<T> {
    const before = this.queues.get(name) ?? Promise.resolve();
    const mine = before.then(() => this.holdAcross(name, act));
    const settled = mine.catch(() => undefined);
    this.queues.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.queues.get(name) === settled) this.queues.delete(name);
    }
  }

  private async holdAcross<T>(name: string, act: (lock: HeldLock) => Promise<T>): Promise<T> {
    for (let turn = 1; ; turn += 1) {
      const lock = await this.take(name);
      try {
        return await act(lock);
      } catch (error) {
        if (!(error instanceof LockLostError) || turn >= TURNS) throw error;
      } finally {
        await lock.release();
      }
    }
  }

  private async take(name: string): Promise<HeldLock> {
    const token = randomUUID();
    for (let tries = 0; (await this.redis.set(name, token, 'PX', HELD_MS, 'NX')) !== 'OK'; tries += 1) {
      if (tries >= TRIES) {
        const waitedMs = TRIES * RETRY_MS;
        throw new Error(
          `somebody holds the lock ${name} for more than ${waitedMs} ms: is Redis slow? Try again`,
        );
      }
      await delay(RETRY_MS);
    }
    return new HeldLock(this.redis, name, token);
  }
}
