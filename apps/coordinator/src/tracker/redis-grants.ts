import type { OriginGrant } from '@gleaner/domain';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { RedisCommand, RedisLock } from './redis-lock.js';
import { BOARD_KEEP_MS, type GrantRequest, type GrantView } from './swarm-board.js';

/** Grants outstanding at once, of all files: what one decision reads. */
const OUTSTANDING_MAX = 4_096;

const stored = z.tuple([
  z.string(),
  z.number(),
  z.number(),
  z.number(),
  z.enum(['granted', 'begun', 'fetched']),
]);

/**
 * Who was sent to the origin for which chunk: a hash for each file, and one set of what is outstanding on the line, ordered
 * by when the leases end.
 */
export class RedisGrants {
  constructor(
    private readonly redis: Redis,
    private readonly lock: RedisLock,
    private readonly lineKey: string,
  ) {}

  /** @param key of the file's hash */
  async decide(
    key: string,
    { manifestId, hostId, chunkBytes, chunks, nowMs }: GrantRequest,
    decide: (view: GrantView) => ReadonlyMap<number, OriginGrant>,
  ): Promise<void> {
    if (chunks.length === 0) return;
    await this.lock.hold(`${key}:lock`, async (lock) => {
      const known = await this.load(key, chunks);
      const outstanding = await this.outstandingBytes(hostId, nowMs);
      const made = decide({ ...outstanding, grantOf: (chunk) => known.get(chunk) });
      if (made.size === 0) return;
      const writes: RedisCommand[] = [];
      for (const [chunk, grant] of made) {
        writes.push(['hset', key, String(chunk), writeGrant(grant)]);
        // A chunk has one entry: whoever was granted it before does not fetch it any more.
        const before = known.get(chunk);
        if (before) {
          const entry = lineEntry(before.hostId, chunkBytes, manifestId, chunk);
          writes.push(['zrem', this.lineKey, entry]);
        }
        const entry = lineEntry(hostId, chunkBytes, manifestId, chunk);
        writes.push(['zadd', this.lineKey, String(grant.untilMs), entry]);
      }
      for (const each of [key, this.lineKey]) writes.push(['pexpire', each, String(BOARD_KEEP_MS)]);
      await lock.write(writes);
    });
  }

  /** @param key of the file's hash */
  async change(
    key: string,
    { manifestId, chunks, hostId, chunkBytes }: GrantRequest,
    change: (grant: OriginGrant) => OriginGrant,
  ): Promise<void> {
    if (chunks.length === 0) return;
    await this.lock.hold(`${key}:lock`, async (lock) => {
      const writes: RedisCommand[] = [];
      for (const [chunk, before] of await this.load(key, chunks)) {
        const grant = change(before);
        if (before.hostId !== hostId || grant === before) continue;
        writes.push(['hset', key, String(chunk), writeGrant(grant)]);
        const entry = lineEntry(hostId, chunkBytes, manifestId, chunk);
        if (grant.stage === 'fetched') writes.push(['zrem', this.lineKey, entry]);
        else writes.push(['zadd', this.lineKey, String(grant.untilMs), entry]);
      }
      if (writes.length > 0) await lock.write(writes);
    });
  }

  private async load(key: string, chunks: readonly number[]): Promise<Map<number, OriginGrant>> {
    const texts = await this.redis.hmget(key, ...chunks.map(String));
    const known = new Map<number, OriginGrant>();
    for (const [at, chunk] of chunks.entries()) {
      const text = texts[at];
      if (text !== null && text !== undefined) known.set(chunk, parseGrant(text));
    }
    return known;
  }

  private async outstandingBytes(hostId: string, nowMs: number) {
    await this.redis.zremrangebyscore(this.lineKey, '-inf', nowMs);
    const view = { outstandingBytes: 0, ownOutstandingBytes: 0 };
    for (const entry of await this.redis.zrange(this.lineKey, 0, OUTSTANDING_MAX - 1)) {
      const parsed = parseLineEntry(entry);
      view.outstandingBytes += parsed.bytes;
      if (parsed.hostId === hostId) view.ownOutstandingBytes += parsed.bytes;
    }
    return view;
  }
}

function lineEntry(hostId: string, bytes: number, manifestId: string, chunk: number): string {
  return `${hostId} ${bytes} ${manifestId} ${chunk}`;
}

function parseLineEntry(entry: string) {
  const [hostId = '', bytes = '0'] = entry.split(' ');
  return { hostId, bytes: Number(bytes) };
}

function writeGrant({ hostId, sinceMs, leaseMs, untilMs, stage }: OriginGrant): string {
  return JSON.stringify([hostId, sinceMs, leaseMs, untilMs, stage]);
}

function parseGrant(text: string): OriginGrant {
  const [hostId, sinceMs, leaseMs, untilMs, stage] = stored.parse(JSON.parse(text));
  return { hostId, sinceMs, leaseMs, untilMs, stage };
}
