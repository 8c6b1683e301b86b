import type { HolderClaim, PeerPlace } from '@gleaner/domain';
import { signedPeerRecord } from '@gleaner/protocol';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { readClaim, readClaims, writeClaim } from './redis-claims.js';
import { execAll } from './redis-pipeline.js';
import { BOARD_KEEP_MS, BOARD_LIMITS, type AnnounceOutcome, type SwarmMember } from './swarm-board.js';

/** Expired peers that one announce clears away. */
const CLEARED_PER_ANNOUNCE = 100;

const storedMember = z.object({
  value: z.object({
    peerId: z.string(),
    hostId: z.string(),
    accountId: z.string(),
    serial: z.string(),
    network: z.string().nullable(),
    region: z.string().nullable(),
    record: signedPeerRecord,
  }),
  untilMs: z.number(),
});

/**
 * Who shares one file: `seen` (peers by when they expire), `peers` and `have` (hashes), and a set of peers for each network
 * and region.
 */
export class RedisMembers {
  private readonly seen: string;
  private readonly peers: string;
  private readonly have: string;

  constructor(
    private readonly redis: Redis,
    /** Begins the file's keys. */
    private readonly prefix: string,
    private readonly now: () => number,
  ) {
    this.seen = `${prefix}:seen`;
    this.peers = `${prefix}:peers`;
    this.have = `${prefix}:have`;
  }

  async announce(
    announced: SwarmMember,
    ttlOf: (outcome: AnnounceOutcome) => number,
  ): Promise<AnnounceOutcome> {
    const { have, ...value } = announced;
    const { peerId, hostId, network, region } = announced;
    const outcome = await this.lookBefore(peerId);
    const untilMs = this.now() + ttlOf(outcome);
    const pipeline = this.redis
      .pipeline()
      .zadd(this.seen, untilMs, peerId)
      .hset(this.peers, peerId, JSON.stringify({ value, untilMs }))
      .hset(this.have, peerId, writeClaim({ hostId, have }, untilMs));
    const touched = [this.seen, this.peers, this.have];
    for (const place of [network, region]) {
      if (place === null) continue;
      pipeline.sadd(this.placeKey(place), peerId);
      touched.push(this.placeKey(place));
    }
    for (const key of touched) pipeline.pexpire(key, BOARD_KEEP_MS);
    await execAll(pipeline);
    return outcome;
  }

  async forget(peerIds: readonly string[]): Promise<void> {
    if (peerIds.length === 0) return;
    const pipeline = this.redis.pipeline();
    for (const text of await this.redis.hmget(this.peers, ...peerIds)) {
      if (text === null) continue;
      const { peerId, network, region } = storedMember.parse(JSON.parse(text)).value;
      for (const name of [network, region]) {
        if (name !== null) pipeline.srem(this.placeKey(name), peerId);
      }
    }
    await execAll(
      pipeline
        .zrem(this.seen, ...peerIds)
        .hdel(this.peers, ...peerIds)
        .hdel(this.have, ...peerIds),
    );
  }

  /** Those of the peers that are known, in their order. */
  async load(peerIds: readonly string[]): Promise<SwarmMember[]> {
    if (peerIds.length === 0) return [];
    const [facts, haves] = await Promise.all([
      this.redis.hmget(this.peers, ...peerIds),
      this.redis.hmget(this.have, ...peerIds),
    ]);
    const nowMs = this.now();
    return facts.flatMap((text, at) => {
      const had = haves[at];
      if (text === null || had === null || had === undefined) return [];
      const { value, untilMs } = storedMember.parse(JSON.parse(text));
      const claimed = untilMs > nowMs ? readClaim(had, nowMs) : null;
      return claimed ? [{ ...value, have: claimed.have }] : [];
    });
  }

  async sample(place: PeerPlace, each: number): Promise<SwarmMember[]> {
    const groups = await Promise.all([
      ...[place.network, place.region].map((name) =>
        name === null ? [] : this.redis.srandmember(this.placeKey(name), each),
      ),
      this.redis.zrandmember(this.seen, each),
    ]);
    const peerIds = [...new Set(z.array(z.array(z.string())).parse(groups).flat())];
    const found = await this.load(peerIds);
    await this.forgetAbsent(place, peerIds, found);
    return found;
  }

  async claims(): Promise<HolderClaim[]> {
    return readClaims(await this.redis.hvals(this.have), this.now());
  }

  private async lookBefore(peerId: string): Promise<AnnounceOutcome> {
    await this.clearAway();
    const [text, peers] = await Promise.all([
      this.redis.hget(this.have, peerId),
      this.redis.zcard(this.seen),
    ]);
    const before = text === null ? null : readClaim(text, this.now());
    return {
      hadBefore: before?.have ?? null,
      peers: Math.min(peers + (before ? 0 : 1), BOARD_LIMITS.membersPerFile),
    };
  }

  /** Peers that have expired, and the oldest of too many. */
  private async clearAway(): Promise<void> {
    const expired = await this.redis.zrangebyscore(
      this.seen,
      '-inf',
      this.now(),
      'LIMIT',
      0,
      CLEARED_PER_ANNOUNCE,
    );
    await this.forget(expired);
    // One place is for the peer that announces itself now.
    const excess = (await this.redis.zcard(this.seen)) - BOARD_LIMITS.membersPerFile + 1;
    if (excess > 0) await this.forget(await this.redis.zrange(this.seen, 0, excess - 1));
  }

  /** Who moved to another network and then left stays in the set of the former one, until it is met there. */
  private async forgetAbsent(
    place: PeerPlace,
    peerIds: readonly string[],
    found: readonly SwarmMember[],
  ): Promise<void> {
    const present = new Set(found.map(({ peerId }) => peerId));
    const absent = peerIds.filter((peerId) => !present.has(peerId));
    if (absent.length === 0) return;
    const pipeline = this.redis.pipeline();
    for (const name of [place.network, place.region]) {
      if (name !== null) pipeline.srem(this.placeKey(name), ...absent);
    }
    await execAll(pipeline);
  }

  private placeKey(place: string): string {
    return `${this.prefix}:at:${place}`;
  }
}
