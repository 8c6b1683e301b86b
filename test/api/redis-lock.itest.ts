import { RedisLock } from '@gleaner/coordinator';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testRedisUrl } from '../support/index.js';

const redisUrl = testRedisUrl();

describe.skipIf(redisUrl === null)('a lock in Redis', () => {
  let redis: Redis;
  let key: string;
  beforeEach(() => {
    redis = new Redis(redisUrl ?? '');
    key = `lock-test-${crypto.randomUUID()}`;
  });
  afterEach(() => redis.disconnect());

  /** Takes turns at a counter, as another coordinator does. */
  const countUp = (lock: RedisLock, stall: () => Promise<unknown> = async () => undefined): Promise<void> =>
    lock.hold(`${key}:lock`, async (held) => {
      const before = Number(await redis.get(key));
      await stall();
      await held.write([['set', key, String(before + 1)]]);
    });

  it('is never written under by a holder that stalled until another had it: it begins anew', async () => {
    const [here, there] = [new RedisLock(redis), new RedisLock(redis)];
    let stalls = 0;
    await countUp(here, async () => {
      stalls += 1;
      if (stalls > 1) return;
      // The lease has run out meanwhile.
      await redis.del(`${key}:lock`);
      await countUp(there);
    });
    expect([stalls, await redis.get(key)]).toEqual([2, '2']);
    expect(await redis.exists(`${key}:lock`)).toBe(0);
  });

  it('gives up where it loses the lock again and again, and says so', async () => {
    const lock = new RedisLock(redis);
    await expect(countUp(lock, () => redis.del(`${key}:lock`))).rejects.toThrow(/lock .* was lost/);
    expect(await redis.get(key)).toBeNull();
  });
});
