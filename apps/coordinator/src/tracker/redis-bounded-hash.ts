import type { Redis } from 'ioredis';
import { z } from 'zod';
import { BOARD_KEEP_MS } from './swarm-board.js';
import { execAll } from './redis-pipeline.js';

/** So many leave a full hash together: looking for the oldest reads all of it. */
const CLEARED_SHARE = 1 / 16;

/** What entries say of how old they are. */
const aged = z.object({ untilMs: z.number().optional(), atMs: z.number().optional() });

export interface HashBounds {
  /** Fields. */
  readonly most: number;
  /** After this without a change the whole hash is forgotten. */
  readonly keepMs?: number;
}

/** Sets a field; the oldest ones leave where there are more than `most`. */
export async function putBounded(
  redis: Redis,
  key: string,
  field: string,
  value: string,
  { most, keepMs = BOARD_KEEP_MS }: HashBounds,
): Promise<void> {
  await execAll(redis.pipeline().hset(key, field, value).pexpire(key, keepMs));
  await keepNewest(redis, key, field, most);
}

/** The oldest fields but this one leave where there are more than `most`. Two at once take out the same ones. */
export async function keepNewest(redis: Redis, key: string, field: string, most: number): Promise<void> {
  const excess = (await redis.hlen(key)) - most;
  if (excess <= 0) return;
  const all = Object.entries(await redis.hgetall(key)).map(([name, text]) => {
    const { untilMs, atMs } = aged.parse(JSON.parse(text));
    return { name, sinceMs: untilMs ?? atMs ?? 0 };
  });
  const leaving = all
    .filter(({ name }) => name !== field)
    .toSorted((a, b) => a.sinceMs - b.sinceMs)
    .slice(0, excess + Math.floor(most * CLEARED_SHARE))
    .map(({ name }) => name);
  if (leaving.length > 0) await redis.hdel(key, ...leaving);
}
