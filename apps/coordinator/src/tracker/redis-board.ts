import {
  NO_TRAFFIC,
  type Accusation,
  type FileTraffic,
  type HolderClaim,
  type OriginGrant,
  type PeerPlace,
} from '@gleaner/domain';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { keepNewest, putBounded } from './redis-bounded-hash.js';
import { readClaims, writeClaim } from './redis-claims.js';
import { RedisGrants } from './redis-grants.js';
import { RedisLock } from './redis-lock.js';
import { RedisMembers } from './redis-members.js';
import { execAll } from './redis-pipeline.js';
import {
  BOARD_KEEP_MS,
  BOARD_LIMITS,
  type AnnounceOutcome,
  type GrantRequest,
  type GrantView,
  type SwarmBoard,
  type SwarmFile,
  type SwarmMember,
} from './swarm-board.js';

const accusation = z.object({
  personId: z.string(),
  isAnonymous: z.boolean(),
  network: z.string().nullable(),
  atMs: z.number(),
});
const entitlement = z.object({
  value: z.object({
    manifestId: z.string(),
    sha256: z.string(),
    sizeBytes: z.number(),
    chunkBytes: z.number(),
    jobId: z.string(),
  }),
  untilMs: z.number(),
});
const traffic = z.object({ claimedBytes: z.number(), originBytes: z.number(), savedBytes: z.number() });

/**
 * The board that several coordinators share: of each file its members, `grants` and `offers` (hashes); of each host its files,
 * its traffic and its last report; of persons and peers who accused whom. Every key expires, every hash is bounded.
 */
export class RedisBoard implements SwarmBoard {
  private readonly lock: RedisLock;
  private readonly grants: RedisGrants;
  private closed = false;

  constructor(
    private readonly redis: Redis,
    private readonly prefix = 'gleaner:swarm',
    private readonly now: () => number = Date.now,
  ) {
    this.lock = new RedisLock(redis);
    this.grants = new RedisGrants(redis, this.lock, this.key('line'));
  }

  async announce(
    manifestId: string,
    announced: SwarmMember,
    ttlOf: (outcome: AnnounceOutcome) => number,
  ): Promise<AnnounceOutcome> {
    return await this.membersOf(manifestId).announce(announced, ttlOf);
  }

  async leave(manifestId: string, peerId: string): Promise<void> {
    await this.membersOf(manifestId).forget([peerId]);
  }

  async findMember(manifestId: string, peerId: string): Promise<SwarmMember | null> {
    const [found] = await this.membersOf(manifestId).load([peerId]);
    return found ?? null;
  }

  async sample(manifestId: string, place: PeerPlace, each: number): Promise<SwarmMember[]> {
    return await this.membersOf(manifestId).sample(place, each);
  }

  async claims(manifestId: string): Promise<HolderClaim[]> {
    return await this.membersOf(manifestId).claims();
  }

  async decideGrants(
    request: GrantRequest,
    decide: (view: GrantView) => ReadonlyMap<number, OriginGrant>,
  ): Promise<void> {
    await this.grants.decide(this.key('file', request.manifestId, 'origin-grants'), request, decide);
  }

  async changeGrants(request: GrantRequest, change: (grant: OriginGrant) => OriginGrant): Promise<void> {
    await this.grants.change(this.key('file', request.manifestId, 'origin-grants'), request, change);
  }

  async accuse(peerId: string, made: Accusation, keepMs: number): Promise<Accusation[]> {
    const key = this.key('accused', peerId);
    const bounds = { most: BOARD_LIMITS.accusationsPerPeer, keepMs };
    await putBounded(this.redis, key, made.personId, JSON.stringify(made), bounds);
    const all = (await this.redis.hvals(key)).map((text) => accusation.parse(JSON.parse(text)));
    return all.filter(({ atMs }) => atMs + keepMs > this.now());
  }

  async countAccused(personId: string, peerId: string, keepMs: number): Promise<number> {
    const key = this.key('accuser', personId);
    await execAll(
      this.redis
        .pipeline()
        .zremrangebyscore(key, '-inf', this.now())
        .zadd(key, 'NX', this.now() + keepMs, peerId)
        .zremrangebyrank(key, 0, -BOARD_LIMITS.accusationsPerPeer - 1)
        .pexpire(key, keepMs),
    );
    return await this.redis.zcard(key);
  }

  async entitle(hostId: string, entitled: SwarmFile, ttlMs: number): Promise<void> {
    const text = JSON.stringify({ value: entitled, untilMs: this.now() + ttlMs });
    const bounds = { most: BOARD_LIMITS.filesPerHost };
    await putBounded(this.redis, this.key('host', hostId, 'files'), entitled.manifestId, text, bounds);
  }

  async findEntitlement(hostId: string, manifestId: string): Promise<SwarmFile | null> {
    const text = await this.redis.hget(this.key('host', hostId, 'files'), manifestId);
    if (text === null) return null;
    const { value, untilMs } = entitlement.parse(JSON.parse(text));
    return untilMs > this.now() ? value : null;
  }

  async offer(manifestId: string, claim: HolderClaim, ttlMs: number): Promise<void> {
    const text = writeClaim(claim, this.now() + ttlMs);
    const bounds = { most: BOARD_LIMITS.offersPerFile };
    await putBounded(this.redis, this.key('file', manifestId, 'offers'), claim.hostId, text, bounds);
  }

  async offers(manifestId: string): Promise<HolderClaim[]> {
    return readClaims(await this.redis.hvals(this.key('file', manifestId, 'offers')), this.now());
  }

  async takeReport(hostId: string, seq: number): Promise<boolean> {
    const key = this.key('host', hostId, 'seq');
    return await this.lock.hold(`${key}:lock`, async (lock) => {
      const last = await this.redis.get(key);
      if (last !== null && seq <= Number(last)) return false;
      await lock.write([['set', key, String(seq), 'PX', String(BOARD_KEEP_MS)]]);
      return true;
    });
  }

  async updateTraffic(
    hostId: string,
    manifestId: string,
    update: (before: FileTraffic) => FileTraffic,
  ): Promise<{ before: FileTraffic; after: FileTraffic }> {
    const key = this.key('host', hostId, 'traffic');
    return await this.lock.hold(`${key}:lock`, async (lock) => {
      const text = await this.redis.hget(key, manifestId);
      const before = text === null ? NO_TRAFFIC : traffic.parse(JSON.parse(text));
      const after = update(before);
      await lock.write([
        ['hset', key, manifestId, JSON.stringify({ ...after, atMs: this.now() })],
        ['pexpire', key, String(BOARD_KEEP_MS)],
      ]);
      await keepNewest(this.redis, key, manifestId, BOARD_LIMITS.filesPerHost);
      return { before, after };
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.redis.disconnect();
    await Promise.resolve();
  }

  private membersOf(manifestId: string): RedisMembers {
    return new RedisMembers(this.redis, this.key('file', manifestId), this.now);
  }

  private key(...parts: readonly string[]): string {
    return [this.prefix, ...parts].join(':');
  }
}
