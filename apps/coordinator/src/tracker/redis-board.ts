import {
  NO_TRAFFIC,
  type Accusation,
  type FileTraffic,
  type HolderClaim,
  type OriginGrant,
  type PeerPlace,
} from '@gleaner/domain';
import { signedPeerRecord } from '@gleaner/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { RedisGrants } from './redis-grants.js';
import { RedisLock } from './redis-lock.js';
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
import { execAll } from './redis-pipeline.js';

/** Expired peers that one announce clears away. */
const CLEARED_PER_ANNOUNCE = 100;
/** So many leave a full hash together: looking for the oldest reads all of it. */
const CLEARED_SHARE = 1 / 16;

const accusation = z.object({
  personId: z.string(),
  isAnonymous: z.boolean(),
  network: z.string().nullable(),
  atMs: z.number(),
});
const dated = <T extends z.ZodType>(value: T) => z.object({ value, untilMs: z.number() });
const file = dated(
  z.object({
    manifestId: z.string(),
    sha256: z.string(),
    sizeBytes: z.number(),
    chunkBytes: z.number(),
    jobId: z.string(),
  }),
);
const claim = dated(z.object({ hostId: z.string(), have: z.string() }));
const member = dated(
  z.object({
    peerId: z.string(),
    hostId: z.string(),
    accountId: z.string(),
    serial: z.string(),
    network: z.string().nullable(),
    region: z.string().nullable(),
    record: signedPeerRecord,
  }),
);
/** What entries say of how old they are. */
const aged = z.object({ untilMs: z.number().optional(), atMs: z.number().optional() });
const traffic = z.object({ claimedBytes: z.number(), originBytes: z.number(), savedBytes: z.number() });

/**
 * The board that several coordinators share. Of each file: `seen` (peers by when they expire), `peers`, `have` and `grants`
 * (hashes), and a set of peers for each network and region. Every key expires, every hash is bounded.
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
    const keys = this.fileKeys(manifestId);
    const { have, ...value } = announced;
    const { peerId, hostId, network, region } = announced;
    const outcome = await this.lookBefore(manifestId, peerId);
    const untilMs = this.now() + ttlOf(outcome);
    const tie = { value: { hostId, have: toBase64(have) }, untilMs };
    const pipeline = this.redis
      .pipeline()
      .zadd(keys.seen, untilMs, peerId)
      .hset(keys.peers, peerId, JSON.stringify({ value, untilMs }))
      .hset(keys.have, peerId, JSON.stringify(tie));
    const touched = [keys.seen, keys.peers, keys.have];
    for (const place of [network, region]) {
      if (place === null) continue;
      pipeline.sadd(this.placeKey(manifestId, place), peerId);
      touched.push(this.placeKey(manifestId, place));
    }
    for (const key of touched) pipeline.pexpire(key, BOARD_KEEP_MS);
    await execAll(pipeline);
    return outcome;
  }

  async leave(manifestId: string, peerId: string): Promise<void> {
    await this.forget(manifestId, [peerId]);
  }

  async findMember(manifestId: string, peerId: string): Promise<SwarmMember | null> {
    const [found] = await this.load(manifestId, [peerId]);
    return found ?? null;
  }

  async sample(manifestId: string, place: PeerPlace, each: number): Promise<SwarmMember[]> {
    const groups = await Promise.all([
      ...[place.network, place.region].map((name) =>
        name === null ? [] : this.redis.srandmember(this.placeKey(manifestId, name), each),
      ),
      this.redis.zrandmember(this.fileKeys(manifestId).seen, each),
    ]);
    const peerIds = [...new Set(z.array(z.array(z.string())).parse(groups).flat())];
    const found = await this.load(manifestId, peerIds);
    await this.forgetAbsent(manifestId, place, peerIds, found);
    return found;
  }

  async claims(manifestId: string): Promise<HolderClaim[]> {
    return this.aliveClaims(await this.redis.hvals(this.fileKeys(manifestId).have));
  }

  async decideGrants(
    request: GrantRequest,
    decide: (view: GrantView) => ReadonlyMap<number, OriginGrant>,
  ): Promise<void> {
    await this.grants.decide(this.fileKeys(request.manifestId).grants, request, decide);
  }

  async markFetched(manifestId: string, chunks: readonly number[], hostId: string): Promise<void> {
    await this.grants.markFetched(this.fileKeys(manifestId).grants, manifestId, chunks, hostId);
  }

  async accuse(peerId: string, made: Accusation, keepMs: number): Promise<Accusation[]> {
    const key = this.key('accused', peerId);
    await this.put(key, made.personId, made, { most: BOARD_LIMITS.accusationsPerPeer, keepMs });
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
    const key = this.key('host', hostId, 'files');
    const value = { value: entitled, untilMs: this.now() + ttlMs };
    await this.put(key, entitled.manifestId, value, { most: BOARD_LIMITS.filesPerHost });
  }

  async findEntitlement(hostId: string, manifestId: string): Promise<SwarmFile | null> {
    const text = await this.redis.hget(this.key('host', hostId, 'files'), manifestId);
    if (text === null) return null;
    const { value, untilMs } = file.parse(JSON.parse(text));
    return untilMs > this.now() ? value : null;
  }

  async offer(manifestId: string, { hostId, have }: HolderClaim, ttlMs: number): Promise<void> {
    const { offers } = this.fileKeys(manifestId);
    const value = { value: { hostId, have: toBase64(have) }, untilMs: this.now() + ttlMs };
    await this.put(offers, hostId, value, { most: BOARD_LIMITS.offersPerFile });
  }

  async offers(manifestId: string): Promise<HolderClaim[]> {
    return this.aliveClaims(await this.redis.hvals(this.fileKeys(manifestId).offers));
  }

  async takeReport(hostId: string, seq: number): Promise<boolean> {
    const key = this.key('host', hostId, 'seq');
    return await this.lock.hold(`${key}:lock`, async () => {
      const last = await this.redis.get(key);
      if (last !== null && seq <= Number(last)) return false;
      await this.redis.set(key, seq, 'PX', BOARD_KEEP_MS);
      return true;
    });
  }

  async updateTraffic(
    hostId: string,
    manifestId: string,
    update: (before: FileTraffic) => FileTraffic,
  ): Promise<{ before: FileTraffic; after: FileTraffic }> {
    const key = this.key('host', hostId, 'traffic');
    return await this.lock.hold(`${key}:lock`, async () => {
      const text = await this.redis.hget(key, manifestId);
      const before = text === null ? NO_TRAFFIC : traffic.parse(JSON.parse(text));
      const after = update(before);
      await this.put(key, manifestId, { ...after, atMs: this.now() }, { most: BOARD_LIMITS.filesPerHost });
      return { before, after };
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.redis.disconnect();
    await Promise.resolve();
  }

  /** Sets a field; the oldest ones leave where there are more than `most`. Two at once take out the same ones. */
  private async put(
    key: string,
    field: string,
    value: object,
    { most, keepMs = BOARD_KEEP_MS }: { readonly most: number; readonly keepMs?: number },
  ): Promise<void> {
    await execAll(this.redis.pipeline().hset(key, field, JSON.stringify(value)).pexpire(key, keepMs));
    const excess = (await this.redis.hlen(key)) - most;
    if (excess <= 0) return;
    const all = Object.entries(await this.redis.hgetall(key)).map(([name, text]) => {
      const { untilMs, atMs } = aged.parse(JSON.parse(text));
      return { name, sinceMs: untilMs ?? atMs ?? 0 };
    });
    const leaving = all
      .filter(({ name }) => name !== field)
      .toSorted((a, b) => a.sinceMs - b.sinceMs)
      .slice(0, excess + Math.floor(most * CLEARED_SHARE))
      .map(({ name }) => name);
    if (leaving.length > 0) await this.redis.hdel(key, ...leaving);
  }

  private key(...parts: readonly string[]): string {
    return [this.prefix, ...parts].join(':');
  }

  private fileKeys(manifestId: string) {
    const of = (name: string): string => this.key('file', manifestId, name);
    return {
      seen: of('seen'),
      peers: of('peers'),
      have: of('have'),
      grants: of('grants'),
      offers: of('offers'),
    };
  }

  private placeKey(manifestId: string, place: string): string {
    return this.key('file', manifestId, 'at', place);
  }

  private async lookBefore(manifestId: string, peerId: string): Promise<AnnounceOutcome> {
    await this.clearAway(manifestId);
    const { seen, have } = this.fileKeys(manifestId);
    const [text, peers] = await Promise.all([this.redis.hget(have, peerId), this.redis.zcard(seen)]);
    const before = text === null ? null : claim.parse(JSON.parse(text));
    const hadBefore = before && before.untilMs > this.now() ? fromBase64(before.value.have) : null;
    return { hadBefore, peers: Math.min(peers + (hadBefore ? 0 : 1), BOARD_LIMITS.membersPerFile) };
  }

  private async load(manifestId: string, peerIds: readonly string[]): Promise<SwarmMember[]> {
    if (peerIds.length === 0) return [];
    const keys = this.fileKeys(manifestId);
    const [facts, haves] = await Promise.all([
      this.redis.hmget(keys.peers, ...peerIds),
      this.redis.hmget(keys.have, ...peerIds),
    ]);
    return facts.flatMap((text, at) => {
      const had = haves[at];
      if (text === null || had === null || had === undefined) return [];
      const { value, untilMs } = member.parse(JSON.parse(text));
      if (untilMs <= this.now()) return [];
      return [{ ...value, have: fromBase64(claim.parse(JSON.parse(had)).value.have) }];
    });
  }

  /** Peers that have expired, and the oldest of too many. */
  private async clearAway(manifestId: string): Promise<void> {
    const { seen } = this.fileKeys(manifestId);
    const expired = await this.redis.zrangebyscore(
      seen,
      '-inf',
      this.now(),
      'LIMIT',
      0,
      CLEARED_PER_ANNOUNCE,
    );
    await this.forget(manifestId, expired);
    // One place is for the peer that announces itself now.
    const excess = (await this.redis.zcard(seen)) - BOARD_LIMITS.membersPerFile + 1;
    if (excess > 0) await this.forget(manifestId, await this.redis.zrange(seen, 0, excess - 1));
  }

  private async forget(manifestId: string, peerIds: readonly string[]): Promise<void> {
    if (peerIds.length === 0) return;
    const { seen, peers, have } = this.fileKeys(manifestId);
    const pipeline = this.redis.pipeline();
    for (const text of await this.redis.hmget(peers, ...peerIds)) {
      if (text === null) continue;
      const { peerId, network, region } = member.parse(JSON.parse(text)).value;
      for (const name of [network, region]) {
        if (name !== null) pipeline.srem(this.placeKey(manifestId, name), peerId);
      }
    }
    await execAll(
      pipeline
        .zrem(seen, ...peerIds)
        .hdel(peers, ...peerIds)
        .hdel(have, ...peerIds),
    );
  }

  /** Who moved to another network and then left stays in the set of the former one, until it is met there. */
  private async forgetAbsent(
    manifestId: string,
    place: PeerPlace,
    peerIds: readonly string[],
    found: readonly SwarmMember[],
  ): Promise<void> {
    const present = new Set(found.map(({ peerId }) => peerId));
    const absent = peerIds.filter((peerId) => !present.has(peerId));
    if (absent.length === 0) return;
    const pipeline = this.redis.pipeline();
    for (const name of [place.network, place.region]) {
      if (name !== null) pipeline.srem(this.placeKey(manifestId, name), ...absent);
    }
    await execAll(pipeline);
  }

  private aliveClaims(texts: readonly string[]): HolderClaim[] {
    return texts.flatMap((text) => {
      const { value, untilMs } = claim.parse(JSON.parse(text));
      return untilMs > this.now() ? [{ hostId: value.hostId, have: fromBase64(value.have) }] : [];
    });
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
