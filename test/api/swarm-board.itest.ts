import {
  BOARD_LIMITS,
  MemoryBoard,
  RedisBoard,
  type SwarmBoard,
  type SwarmFile,
  type SwarmMember,
} from '@gleaner/coordinator';
import { bitmapOf, NO_TRAFFIC, type OriginGrant } from '@gleaner/domain';
import { createPeerIdentity, createPeerRecord, signBody } from '@gleaner/swarm/auth';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testRedisUrl } from '../support/index.js';

const redisUrl = testRedisUrl();
const CHUNKS = 16;
const TTL_MS = 1_000;
/** By the clock of the test; Redis forgets words by its own, and must not while a busy machine comes to the next one. */
const WORDS_KEPT_MS = 3_600_000;
const FILE = 'a'.repeat(64);

const boards: ReadonlyArray<[string, boolean, (now: () => number) => SwarmBoard]> = [
  ['memory', true, (now) => new MemoryBoard(now)],
  [
    'redis',
    redisUrl !== null,
    (now) => new RedisBoard(new Redis(redisUrl ?? ''), `board-test-${crypto.randomUUID()}`, now),
  ],
];

function aMember(changes: Partial<SwarmMember> = {}, chunks: readonly number[] = []): SwarmMember {
  const identity = createPeerIdentity();
  const body = {
    kind: 'gleaner-certificate' as const,
    v: 1 as const,
    peerId: identity.peerId,
    host: 'pseudonym',
    role: 'host' as const,
    serial: 'ab'.repeat(12),
    exp: 2_000_000_000,
  };
  const record = createPeerRecord(identity, signBody(body, identity.privateKey), ['/ip4/192.0.2.1/tcp/1'], 1);
  return {
    peerId: identity.peerId,
    hostId: `host of ${identity.peerId}`,
    accountId: '1',
    serial: body.serial,
    network: '192.0.2.0/24',
    region: '192.0.0.0/16',
    record,
    have: bitmapOf(CHUNKS, chunks),
    ...changes,
  };
}

const aGrant = (hostId: string, atMs: number): OriginGrant => ({
  hostId,
  sinceMs: atMs,
  leaseMs: 4_000,
  untilMs: atMs + 4_000,
  stage: 'granted',
});

for (const [kind, isAvailable, make] of boards) {
  describe.skipIf(!isAvailable)(`a swarm board in ${kind}`, () => {
    let nowMs: number;
    let board: SwarmBoard;
    beforeEach(() => {
      nowMs = Date.parse('2026-11-21T00:00:00Z');
      board = make(() => nowMs);
    });
    afterEach(() => board.close());

    const join = (member: SwarmMember, file = FILE) => board.announce(file, member, () => TTL_MS);

    it('tells what a peer had before, and how many share the file', async () => {
      const member = aMember();
      expect(await join(member)).toEqual({ hadBefore: null, peers: 1 });
      expect(await join({ ...member, have: bitmapOf(CHUNKS, [3]) })).toEqual({
        hadBefore: bitmapOf(CHUNKS, []),
        peers: 1,
      });
      expect(await join(aMember())).toMatchObject({ peers: 2 });
      expect(await join(aMember(), 'b'.repeat(64))).toMatchObject({ peers: 1 });
    });

    it('finds a peer as it announced itself, until it leaves or falls silent', async () => {
      const [stays, leaves] = [aMember({}, [1, 5]), aMember()];
      await join(stays);
      await join(leaves);
      expect(await board.findMember(FILE, stays.peerId)).toEqual(stays);
      await board.leave(FILE, leaves.peerId);
      expect(await board.findMember(FILE, leaves.peerId)).toBeNull();
      nowMs += TTL_MS;
      expect(await board.findMember(FILE, stays.peerId)).toBeNull();
      expect(await board.claims(FILE)).toEqual([]);
      expect(await join(aMember())).toEqual({ hadBefore: null, peers: 1 });
    });

    it('samples peers of the network and the region beside those of anywhere', async () => {
      const near = aMember();
      const regional = aMember({ network: '192.0.9.0/24' });
      const far = Array.from({ length: 20 }, () =>
        aMember({ network: '10.0.0.0/24', region: '10.0.0.0/16' }),
      );
      for (const member of [near, regional, ...far]) await join(member);
      const place = { peerId: 'self', network: '192.0.2.0/24', region: '192.0.0.0/16' };
      const sampled = await board.sample(FILE, place, 5);
      const ids = sampled.map(({ peerId }) => peerId);
      expect(ids).toEqual(expect.arrayContaining([near.peerId, regional.peerId]));
      expect(new Set(ids).size).toBe(ids.length);
      expect(sampled.length).toBeGreaterThanOrEqual(5);
      expect(sampled.length).toBeLessThanOrEqual(15);
      nowMs += TTL_MS;
      expect(await board.sample(FILE, place, 5)).toEqual([]);
    });

    it('counts what all say they have', async () => {
      const [a, b] = [aMember({}, [0, 1]), aMember({}, [1])];
      await join(a);
      await join(b);
      const claims = await board.claims(FILE);
      expect(claims.toSorted((x, y) => x.hostId.localeCompare(y.hostId))).toEqual(
        [a, b]
          .map(({ hostId, have }) => ({ hostId, have }))
          .toSorted((x, y) => x.hostId.localeCompare(y.hostId)),
      );
    });

    const decide = (hostId: string, chunks: readonly number[], grants: ReadonlyMap<number, OriginGrant>) =>
      new Promise<{ known: Array<OriginGrant | undefined>; all: number; own: number }>((resolve, reject) => {
        board
          .decideGrants({ manifestId: FILE, hostId, chunkBytes: 100, chunks, nowMs }, (view) => {
            resolve({
              known: chunks.map((chunk) => view.grantOf(chunk)),
              all: view.outstandingBytes,
              own: view.ownOutstandingBytes,
            });
            return grants;
          })
          .catch(reject);
      });

    it('remembers grants, and what of them is outstanding, until they are fetched or their lease ends', async () => {
      await board.decideGrants(
        { manifestId: FILE, hostId: 'a', chunkBytes: 100, chunks: [0, 1], nowMs },
        () =>
          new Map([
            [0, aGrant('a', nowMs)],
            [1, aGrant('a', nowMs)],
          ]),
      );
      await board.decideGrants(
        { manifestId: FILE, hostId: 'b', chunkBytes: 100, chunks: [2], nowMs },
        () => new Map([[2, aGrant('b', nowMs)]]),
      );
      expect(await decide('b', [1, 2, 3], new Map())).toEqual({
        known: [aGrant('a', nowMs), aGrant('b', nowMs), undefined],
        all: 300,
        own: 100,
      });
      const granted = { manifestId: FILE, hostId: 'a', chunkBytes: 100, nowMs };
      await board.changeGrants({ ...granted, chunks: [0, 2] }, (grant) => ({ ...grant, stage: 'fetched' }));
      expect(await decide('a', [0, 2], new Map())).toEqual({
        known: [{ ...aGrant('a', nowMs), stage: 'fetched' }, aGrant('b', nowMs)],
        all: 200,
        own: 100,
      });
      const untilMs = nowMs + 16_000;
      nowMs += 4_000;
      expect(await decide('a', [1], new Map())).toMatchObject({ all: 0, own: 0 });
      // It comes late, and is on the line again.
      await board.changeGrants({ ...granted, chunks: [1] }, (grant) => ({
        ...grant,
        stage: 'begun',
        untilMs,
      }));
      expect(await decide('a', [1], new Map())).toMatchObject({ all: 100, own: 100 });
      nowMs += 12_000;
      expect(await decide('a', [1], new Map())).toMatchObject({ all: 0, own: 0 });
    });

    it('counts a chunk that is granted anew once', async () => {
      await decide('a', [0], new Map([[0, aGrant('a', nowMs)]]));
      await decide('b', [0], new Map([[0, aGrant('b', nowMs)]]));
      expect(await decide('b', [0], new Map())).toMatchObject({ all: 100, own: 100 });
    });

    it('lets one decide at a time', async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, host) =>
          board.decideGrants(
            { manifestId: FILE, hostId: `h${host}`, chunkBytes: 1, chunks: [...Array(20).keys()], nowMs },
            (view) => {
              const free = [...Array(20).keys()].find((chunk) => view.grantOf(chunk) === undefined) ?? 0;
              return new Map([[free, aGrant(`h${host}`, nowMs)]]);
            },
          ),
        ),
      );
      const { known, all } = await decide('x', [...Array(20).keys()], new Map());
      expect(new Set(known.map((grant) => grant?.hostId)).size).toBe(20);
      expect(all).toBe(20);
    });

    it('keeps one accusation of each person, and counts whom a person has accused', async () => {
      const word = (personId: string) => ({ personId, isAnonymous: false, network: null, atMs: nowMs });
      await board.accuse('liar', word('1'), WORDS_KEPT_MS);
      await board.accuse('liar', word('1'), WORDS_KEPT_MS);
      expect(await board.accuse('liar', word('2'), WORDS_KEPT_MS)).toHaveLength(2);
      nowMs += WORDS_KEPT_MS;
      expect(await board.accuse('liar', word('3'), WORDS_KEPT_MS)).toEqual([word('3')]);
      expect(await board.countAccused('1', 'liar', WORDS_KEPT_MS)).toBe(1);
      expect(await board.countAccused('1', 'liar', WORDS_KEPT_MS)).toBe(1);
      expect(await board.countAccused('1', 'other', WORDS_KEPT_MS)).toBe(2);
    });

    it('remembers what a host may have and what it was asked to keep, for a while', async () => {
      const file: SwarmFile = {
        manifestId: FILE,
        sha256: 'c'.repeat(64),
        sizeBytes: 5,
        chunkBytes: 1,
        jobId: '7',
      };
      await board.entitle('h', file, TTL_MS);
      await board.offer(FILE, { hostId: 'h', have: bitmapOf(CHUNKS, [2]) }, TTL_MS);
      expect(await board.findEntitlement('h', FILE)).toEqual(file);
      expect(await board.findEntitlement('other', FILE)).toBeNull();
      expect(await board.offers(FILE)).toEqual([{ hostId: 'h', have: bitmapOf(CHUNKS, [2]) }]);
      nowMs += TTL_MS;
      expect(await board.findEntitlement('h', FILE)).toBeNull();
      expect(await board.offers(FILE)).toEqual([]);
    });

    it('keeps the newest of what is too much, whether it is what a host may have, offers, words or traffic', async () => {
      const { filesPerHost, offersPerFile, accusationsPerPeer } = BOARD_LIMITS;
      const aFile = (at: number): SwarmFile => ({
        manifestId: at.toString(16).padStart(64, '0'),
        sha256: 'c'.repeat(64),
        sizeBytes: 5,
        chunkBytes: 1,
        jobId: '7',
      });
      for (let at = 0; at <= filesPerHost; at += 1) {
        nowMs += 1;
        await board.entitle('h', aFile(at), TTL_MS * 1000);
        await board.updateTraffic('h', aFile(at).manifestId, () => ({ ...NO_TRAFFIC, savedBytes: at }));
      }
      const known = async (at: number) => {
        const { manifestId } = aFile(at);
        const { before } = await board.updateTraffic('h', manifestId, (traffic) => traffic);
        return [(await board.findEntitlement('h', manifestId)) !== null, before.savedBytes];
      };
      expect(await known(filesPerHost)).toEqual([true, filesPerHost]);
      expect(await known(filesPerHost / 2)).toEqual([true, filesPerHost / 2]);
      expect(await known(0)).toEqual([false, 0]);
      for (let at = 0; at <= offersPerFile; at += 1) {
        nowMs += 1;
        await board.offer(FILE, { hostId: `h${at}`, have: bitmapOf(CHUNKS, [2]) }, TTL_MS * 1000);
      }
      const offering = (await board.offers(FILE)).map(({ hostId }) => hostId);
      expect(offering).toContain(`h${offersPerFile}`);
      expect(offering).not.toContain('h0');
      expect(offering.length).toBeLessThanOrEqual(offersPerFile);
      let words = 0;
      for (let at = 0; at <= accusationsPerPeer; at += 1) {
        nowMs += 1;
        const word = { personId: `${at}`, isAnonymous: false, network: null, atMs: nowMs };
        words = (await board.accuse('liar', word, TTL_MS * 1000)).length;
        await board.countAccused('accuser', `peer ${at}`, TTL_MS * 1000);
      }
      expect(words).toBeLessThanOrEqual(accusationsPerPeer);
      expect(await board.countAccused('accuser', 'peer 1', TTL_MS * 1000)).toBe(accusationsPerPeer);
    });

    it('takes a report once, and adds up traffic without losing any', async () => {
      expect(await board.takeReport('h', 5)).toBe(true);
      expect(await board.takeReport('h', 5)).toBe(false);
      expect(await board.takeReport('h', 4)).toBe(false);
      expect(await board.takeReport('h', 6)).toBe(true);
      const add = () =>
        board.updateTraffic('h', FILE, (before) => ({ ...before, savedBytes: before.savedBytes + 1 }));
      await Promise.all(Array.from({ length: 20 }, add));
      expect(await board.updateTraffic('h', FILE, (before) => before)).toMatchObject({
        before: { ...NO_TRAFFIC, savedBytes: 20 },
      });
    });
  });
}
