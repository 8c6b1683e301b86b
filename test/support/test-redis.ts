import { Redis } from 'ioredis';
import { inject } from 'vitest';

/** Redis for the suite at hand; null where there is none. Suites that run at the same time have a database of their own each. */
export function testRedisUrl(): string | null {
  const url = inject('redisUrl');
  return url === null ? null : `${url}/${process.env['VITEST_POOL_ID'] ?? 0}`;
}

/** Empties the Redis database of the suite at hand. */
export async function forgetEverything(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.flushdb();
  redis.disconnect();
}
