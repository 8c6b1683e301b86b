import { Deliveries, SWARM_BOARD, type SwarmBoard } from '@gleaner/coordinator';
import type { OriginGrant } from '@gleaner/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_CHUNKS, bitmapText, CHUNK_BYTES, CHUNKS, SOON, Swarm } from './swarm-peer.js';

let swarm: Swarm;
beforeAll(async () => {
  swarm = await Swarm.open();
});
afterAll(() => swarm[Symbol.asyncDispose]());

/** Who was last sent to the origin for a chunk. */
async function grantOf(chunk: number): Promise<OriginGrant> {
  const board = swarm.gleaner.app.get<SwarmBoard>(SWARM_BOARD);
  const { manifestId } = swarm.input;
  const request = {
    manifestId,
    hostId: 'nobody',
    chunkBytes: CHUNK_BYTES,
    chunks: [chunk],
    nowMs: Date.now(),
  };
  let grant: OriginGrant | undefined;
  await board.decideGrants(request, (view) => {
    grant = view.grantOf(chunk);
    return new Map();
  });
  if (!grant) throw new Error(`nobody was granted chunk ${chunk}`);
  return grant;
}

describe('origin tickets', () => {
  it('send different hosts for different chunks, no more than the line carries in a second', async () => {
    await swarm.newJob();
    const [a, b, c] = [await swarm.working(), await swarm.working(), await swarm.working()];
    const [first, second] = [await a.originTickets(ALL_CHUNKS), await b.originTickets(ALL_CHUNKS)];
    expect(new Set([...first.chunks, ...second.chunks]).size).toBe(4);
    expect(await c.originTickets(ALL_CHUNKS)).toMatchObject({ chunks: [], otherwise: 'busy' });
    const [done] = first.chunks;
    if (done === undefined) throw new Error('nothing was granted');
    expect(await a.fetchChunk(done)).toBe(206);
    await expect.poll(async () => (await c.originTickets(ALL_CHUNKS, 1)).chunks, SOON).toHaveLength(1);
    expect((await b.originTickets([done])).chunks).toEqual([]);
  });

  it('keep a chunk for the host that has come for it until it hangs up', async () => {
    await swarm.newJob();
    const [a, b] = [await swarm.working(), await swarm.working()];
    const last = CHUNKS - 1;
    await expect.poll(async () => (await a.originTickets([last])).chunks, SOON).toEqual([last]);
    const before = await grantOf(last);
    const { promise: sentBytes, resolve: hangUp } = Promise.withResolvers<number>();
    const sha256 = swarm.input.blobId.replace('sha256:', '');
    const delivery = { hostId: a.hostId, sha256, atMs: Date.now(), startByte: 0, endByte: null, sentBytes };
    swarm.gleaner.app.get(Deliveries).emit(delivery);
    await expect.poll(() => grantOf(last), SOON).toMatchObject({ stage: 'begun' });
    const begun = await grantOf(last);
    expect(begun.untilMs).toBeGreaterThan(before.untilMs);
    // With all but the last byte.
    hangUp(CHUNKS * CHUNK_BYTES - 1);
    await expect.poll(async () => (await grantOf(last)).untilMs, SOON).toBeLessThan(begun.untilMs);
    // The line may be busy for others.
    await expect.poll(async () => (await b.originTickets([last])).chunks, SOON).toEqual([last]);
  });

  it('are refused to others than those who compute with the file', async () => {
    await swarm.newJob();
    const [peer, idle] = [await swarm.working(), await swarm.enrol()];
    const body = { manifestId: swarm.input.manifestId, wanted: bitmapText([0]), count: 1, urgent: false };
    expect((await idle.post('/v1/swarm/origin-tickets', body)).status).toBe(403);
    const foreign = { ...body, peerId: idle.peerId };
    expect((await peer.post('/v1/swarm/origin-tickets', foreign)).status).toBe(403);
    expect((await swarm.post('/v1/swarm/origin-tickets', foreign)).status).toBe(401);
    for (const changes of [{ wanted: 'AAAA' }, { count: 17 }, { urgent: 'very' }]) {
      expect((await peer.post('/v1/swarm/origin-tickets', { ...body, ...changes })).status).toBe(400);
    }
  });
});
