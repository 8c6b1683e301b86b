import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrafficLedger } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestApplication,
  startRedis,
  type RedisServer,
  type TestApplication,
  testRedisUrl,
} from '../support/index.js';
import { ALL_CHUNKS, peersOf, Swarm } from './swarm-peer.js';

const redisUrl = testRedisUrl();

describe.skipIf(redisUrl === null)('several coordinators on one Redis', () => {
  let swarm: Swarm;
  let second: TestApplication;
  beforeAll(async () => {
    swarm = await Swarm.open({ redis: true });
    const { databaseUrl, dataDir, originBytesPerSecond } = swarm.gleaner.config;
    if (databaseUrl === null) throw new Error('the test application has a database');
    const env = { GLEANER_TRUST_PROXY: 'true', GLEANER_ORIGIN_RATE_BYTES: String(originBytesPerSecond) };
    second = await createTestApplication({ redis: true, env, databaseUrl, dataDir });
  });
  afterAll(async () => {
    await second.close();
    await swarm[Symbol.asyncDispose]();
  });

  it('see the same swarm: peers, origin tickets and reports', async () => {
    await swarm.newJob();
    const [a, b] = [await swarm.working(), await swarm.working()];
    b.at = second.url;
    await a.meet([0]);
    expect(peersOf(await b.meet([1]))).toEqual([a.peerId]);
    expect(peersOf(await a.meet([0]))).toEqual([b.peerId]);
    const [mine, theirs] = await Promise.all([a.originTickets(ALL_CHUNKS), b.originTickets(ALL_CHUNKS)]);
    expect(new Set([...mine.chunks, ...theirs.chunks]).size).toBe(4);
    const { manifestId } = swarm.input;
    const files = [{ manifestId, fromPeersBytes: 700, fromOriginBytes: 0, toPeersBytes: 0 }];
    const report = { seq: 1, files };
    await a.post('/v1/swarm/traffic', report);
    a.at = second.url;
    await a.post('/v1/swarm/traffic', report);
    await Promise.all([swarm.gleaner, second].map((each) => each.app.get(TrafficLedger).flush()));
    expect((await swarm.jobView()).swarm.savedBytes).toBe(700);
  });

  it('know whom the other one has just let in', async () => {
    await swarm.newJob();
    const yesterday = await swarm.working();
    yesterday.at = second.url;
    await yesterday.meet([0]);
    yesterday.at = swarm.gleaner.url;
    const today = await yesterday.asAnother();
    today.at = second.url;
    expect(peersOf(await today.meet([0]))).toEqual([]);
    const { manifestId } = swarm.input;
    const { body } = await today.post('/v1/swarm/tickets', { manifestIds: [manifestId] });
    expect(body).toMatchObject({ tickets: [{ body: { manifestId, peerId: today.peerId } }], refused: [] });
  });
});

describe.skipIf(redisUrl === null)('a coordinator whose board is away', () => {
  let swarm: Swarm;
  let redis: RedisServer;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-redis-'));
    const started = await startRedis(directory);
    if (!started) throw new Error('Redis was there a moment ago');
    redis = started;
    swarm = await Swarm.open({ env: { REDIS_URL: redis.url } });
  });
  afterAll(async () => {
    await swarm[Symbol.asyncDispose]();
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('says so, and still certifies peers and sends inputs over HTTPS', async () => {
    await swarm.newJob();
    const [peer, stranger] = [await swarm.enrol(), await swarm.enrol()];
    await peer.holdTask();
    await peer.meet([]);
    await redis.stop();
    const answer = await peer.announce([0]);
    expect(answer).toMatchObject({ status: 503, body: { type: 'urn:gleaner:problem:unavailable' } });
    expect((await peer.post('/v1/swarm/certificate', {})).status).toBe(200);
    expect(await peer.fetchChunk(0)).toBe(206);
    expect(await stranger.fetchChunk(0)).toBe(404);
  });
});
