import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** A coordinator that crashed while it held a lock keeps others waiting no longer than this. */
const HELD_MS = 2_000;
const RETRY_MS = 5;
const TRIES = 400;

/** Deletes the lock only where it is still ours. */
const RELEASE = `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`;

/** One holder at a time for each name, among all coordinators; within this process in order of arrival. */
export class RedisLock {
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(private readonly redis: Redis) {}

  async hold<T>(name: string, act: () => Promise<T>): Promise<T> {
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

  private async holdAcross<T>(name: string, act: () => Promise<T>): Promise<T> {
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
    try {
      return await act();
    } finally {
      await this.redis.eval(RELEASE, 1, name, token);
    }
  }
}
