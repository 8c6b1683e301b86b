import { SWARM_BOARD, TrafficLedger, type SwarmBoard } from '@gleaner/coordinator';
import { chunksOf } from '@gleaner/domain';
import { swarmReplicasAnswer, type SwarmReplicasAnswer } from '@gleaner/protocol';
import { createPeerIdentity } from '@gleaner/swarm/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_CHUNKS, CHUNK_BYTES, CHUNKS, peersOf, SOON, Swarm } from './swarm-peer.js';

let swarm: Swarm;
beforeAll(async () => {
  swarm = await Swarm.open();
});
afterAll(() => swarm[Symbol.asyncDispose]());

describe('work over windows', () => {
  // The first of all: tickets of other jobs would be at hand too, and only so many are looked at.
  it('goes first to whoever holds the chunks that a window touches', async () => {
    await swarm.newJob({ isCut: true });
    const holder = await swarm.enrol();
    await swarm.ticketsAtHand(CHUNKS);
    const ask = async (maxTasks: number, runs: ReadonlyArray<{ from: number; to: number }>) => {
      const held = [{ manifestId: swarm.input.manifestId, runs: [...runs] }];
      const { tasks } = await holder.host.work({ request: { maxTasks, memoryMiB: 4096, cores: 4, held } });
      return tasks
        .map(({ windows }) => (windows['tape']?.offset ?? 0) / CHUNK_BYTES)
        .toSorted((a, b) => a - b);
    };
    expect(await ask(2, [{ from: 5, to: 7 }])).toEqual([5, 6]);
    expect(await ask(1, [{ from: 3, to: 4 }])).toEqual([3]);
    expect(await ask(1, [{ from: 3, to: 4 }])).toHaveLength(1);
  });

  it('is not asked for with more than a bounded word on what is held, or one that makes no sense', async () => {
    const peer = await swarm.enrol();
    const { manifestId } = swarm.input;
    const run = { from: 0, to: 1 };
    const nonsense = [
      Array.from({ length: 65 }, () => ({ manifestId, runs: [run] })),
      [{ manifestId, runs: Array.from({ length: 17 }, () => run) }],
      [{ manifestId, runs: [{ from: -1, to: 1 }] }],
      [{ manifestId: 'x', runs: [run] }],
    ];
    for (const held of nonsense) {
      const request = { maxTasks: 1, memoryMiB: 512, cores: 1, held };
      const call = { protocol: 1, runtimeVersions: ['x'], reports: [], request };
      const { secret: token } = peer.host.attached;
      expect((await swarm.post('/v1/work', call, { token })).status).toBe(400);
    }
  });
});

describe('announces', () => {
  it('introduce the hosts that share a file, until they leave', async () => {
    await swarm.newJob();
    const [a, b] = [await swarm.working(), await swarm.working()];
    expect(await a.meet([])).toMatchObject({ peers: [], intervalMs: 1_000 });
    expect(peersOf(await b.meet([0, 1]))).toEqual([a.peerId]);
    const [known] = (await a.meet([0])).peers;
    expect(known).toEqual(b.record());
    await b.meet([0, 1], { isLeaving: true });
    expect(peersOf(await a.meet([0]))).toEqual([]);
  });

  it('introduce a host that has become another peer as that one alone', async () => {
    await swarm.newJob();
    const [a, b] = [await swarm.working(), await swarm.working()];
    const today = await b.asAnother();
    await today.meet([0]);
    await b.meet([0]);
    expect(peersOf(await a.meet([]))).toEqual([today.peerId]);
    // Nor is it introduced to itself.
    expect(peersOf(await b.meet([0]))).toEqual([a.peerId]);
  });

  it('are refused to hosts whose tasks do not need the file', async () => {
    await swarm.newJob();
    expect((await (await swarm.enrol()).announce([])).status).toBe(403);
  });

  it('are refused for what is malformed, forged or somebody else’s', async () => {
    await swarm.newJob();
    const [peer, other] = [await swarm.working(), await swarm.working()];
    const own = peer.record();
    const moved = { ...own.record.body, addresses: [`/ip4/192.0.2.9/tcp/1`] };
    const { certificate } = own;
    // Half of a character has no UTF-8, and so nothing that could have been signed.
    const unsignable = { ...certificate, body: { ...certificate.body, host: '\ud800' } };
    const cases: ReadonlyArray<readonly [Record<string, unknown>, number]> = [
      [{ have: 'AAAA' }, 400],
      [{ have: 'no base64!' }, 400],
      [{ manifestId: 'x' }, 400],
      [{ badPeers: ['nobody'] }, 400],
      [{ record: { ...own, certificate: unsignable } }, 400],
      [{ record: other.record() }, 403],
      [{ record: { ...own, record: { ...own.record, body: moved } } }, 403],
      [{ record: { ...own, certificate: { ...certificate, sig: other.certificate.sig } } }, 403],
    ];
    for (const [changes, status] of cases) {
      expect([Object.keys(changes), (await peer.announce([], changes)).status]).toEqual([
        Object.keys(changes),
        status,
      ]);
    }
  });

  it('count a host’s word once, whatever it says it has', async () => {
    await swarm.newJob();
    const [honest, boastful] = [await swarm.working(), await swarm.working()];
    await honest.meet([0, 1, 2, 3]);
    for (let word = 0; word < 3; word += 1) await boastful.meet([0, 1, 2, 3, 4, 5, 6, 7]);
    const view = await swarm.jobView();
    expect(view.swarm.inputs).toEqual([
      {
        blobId: swarm.input.blobId,
        chunks: CHUNKS,
        chunksPerRun: 1,
        copies: [2, 2, 2, 2, 1, 1, 1, 1],
        minCopies: 1,
        averageCopies: 1.5,
      },
    ]);
  });
});

describe('replicas', () => {
  it('are offered to a host with room, which may then have and share the file without a task', async () => {
    await swarm.newJob();
    const [worker, willing] = [await swarm.working(), await swarm.enrol()];
    await worker.meet([0, 1]);
    expect(await willing.fetchChunk(0)).toBe(404);
    const freeBytes = 3 * CHUNK_BYTES;
    let offers: SwarmReplicasAnswer['offers'] = [];
    // The list of open jobs may be some seconds old.
    await expect
      .poll(async () => {
        const { body } = await willing.post('/v1/swarm/replicas', { freeBytes, holds: [] });
        ({ offers } = swarmReplicasAnswer.parse(body));
        return offers.map(({ location }) => location.blobId);
      }, SOON)
      .toEqual([swarm.input.blobId]);
    expect(offers).toMatchObject([
      {
        location: { blobId: swarm.input.blobId, manifestId: swarm.input.manifestId },
        ticket: { body: { manifestId: swarm.input.manifestId, peerId: willing.peerId } },
      },
    ]);
    const chunks = chunksOf(new Uint8Array(Buffer.from(offers[0]?.chunks ?? '', 'base64')), CHUNKS);
    expect(chunks).toHaveLength(3);
    // What nobody holds comes before what one host holds.
    expect(chunks.every((chunk) => chunk > 1)).toBe(true);
    expect(await willing.fetchChunk(chunks[0] ?? 0)).toBe(206);
    expect(peersOf(await willing.meet(chunks))).toEqual([worker.peerId]);
    // What it has of the file itself says nothing of the rest: that is still in danger.
    const holds = [swarm.input.manifestId];
    const { body } = await worker.post('/v1/swarm/replicas', { freeBytes: 1e9, holds });
    const [more] = swarmReplicasAnswer.parse(body).offers;
    const others = chunksOf(new Uint8Array(Buffer.from(more?.chunks ?? '', 'base64')), CHUNKS);
    expect(others).toEqual(ALL_CHUNKS.filter((chunk) => chunk > 1));
  });

  it('may be kept for as long as the job is open: each new ticket is for another while', async () => {
    await swarm.newJob();
    const willing = await swarm.enrol();
    const { manifestId } = swarm.input;
    const board = swarm.gleaner.app.get<SwarmBoard>(SWARM_BOARD);
    const offeredLongAgo = {
      manifestId,
      sha256: '0'.repeat(64),
      sizeBytes: CHUNKS * CHUNK_BYTES,
      chunkBytes: CHUNK_BYTES,
      jobId: 'of long ago',
    };
    const jobAfterTicket = async () => {
      await board.entitle(willing.hostId, offeredLongAgo, 60_000);
      const { status } = await willing.post('/v1/swarm/tickets', { manifestIds: [manifestId] });
      expect(status).toBe(200);
      return (await board.findEntitlement(willing.hostId, manifestId))?.jobId;
    };
    // The list of open jobs may be some seconds old.
    await expect.poll(jobAfterTicket, SOON).toBe(String(swarm.jobId));
    await swarm.gleaner.dataSource.query("UPDATE job SET state = 'paused' WHERE id = $1", [swarm.jobId]);
    await expect.poll(jobAfterTicket, SOON).toBe('of long ago');
  });

  it('are not offered of what the host holds, nor without room', async () => {
    await swarm.newJob();
    const willing = await swarm.enrol();
    const nothing = { offers: [], retryAfterMs: 300_000 };
    const holds = [swarm.input.manifestId];
    // The list of open jobs may be some seconds old: somebody else is offered the file as soon as it is there.
    const other = await swarm.enrol();
    await expect
      .poll(async () => {
        const { body } = await other.post('/v1/swarm/replicas', { freeBytes: 1e9, holds: [] });
        return swarmReplicasAnswer.parse(body).offers.map(({ location }) => location.blobId);
      }, SOON)
      .toContain(swarm.input.blobId);
    expect((await willing.post('/v1/swarm/replicas', { freeBytes: 1e9, holds })).body).toEqual(nothing);
    expect((await willing.post('/v1/swarm/replicas', { freeBytes: 10, holds: [] })).body).toEqual(nothing);
    expect((await willing.post('/v1/swarm/replicas', { freeBytes: -1, holds: [] })).status).toBe(400);
    const foreign = { freeBytes: 0, holds: [], peerId: createPeerIdentity().peerId };
    expect((await willing.post('/v1/swarm/replicas', foreign)).status).toBe(403);
  });
});

describe('traffic', () => {
  const moved = (seq: number, fromPeersBytes: number) => ({
    seq,
    files: [{ manifestId: swarm.input.manifestId, fromPeersBytes, fromOriginBytes: 0, toPeersBytes: 0 }],
  });

  it('is what the swarm saved, on the job’s page and the site’s, each report once', async () => {
    await swarm.newJob();
    const peer = await swarm.working();
    const before = BigInt((await swarm.site()).totals.savedBytes);
    expect((await peer.post('/v1/swarm/traffic', moved(1, 1_000))).status).toBe(204);
    expect((await peer.post('/v1/swarm/traffic', moved(1, 1_000))).status).toBe(204);
    expect((await peer.post('/v1/swarm/traffic', moved(2, 500))).status).toBe(204);
    await swarm.gleaner.app.get(TrafficLedger).flush();
    expect((await swarm.jobView()).swarm.savedBytes).toBe(1_500);
    await expect.poll(async () => BigInt((await swarm.site()).totals.savedBytes) - before, SOON).toBe(1_500n);
  });

  it('is counted although something of it was for a job that a restored database does not know', async () => {
    await swarm.newJob();
    const [peer, other] = [await swarm.working(), await swarm.enrol()];
    const gone = {
      manifestId: 'f'.repeat(64),
      sha256: '0'.repeat(64),
      sizeBytes: CHUNK_BYTES,
      chunkBytes: CHUNK_BYTES,
      jobId: '999999999',
    };
    await swarm.gleaner.app.get<SwarmBoard>(SWARM_BOARD).entitle(other.hostId, gone, 60_000);
    const ofGone = { ...moved(1, 1_000).files[0], manifestId: gone.manifestId };
    expect((await other.post('/v1/swarm/traffic', { seq: 1, files: [ofGone] })).status).toBe(204);
    expect((await peer.post('/v1/swarm/traffic', moved(1, 1_000))).status).toBe(204);
    await swarm.gleaner.app.get(TrafficLedger).flush();
    expect((await swarm.jobView()).swarm.savedBytes).toBe(1_000);
  });

  it('saves no more than the origin did not send, whatever a host says', async () => {
    await swarm.newJob();
    const peer = await swarm.working();
    expect(await peer.fetchChunk(0)).toBe(206);
    await peer.post('/v1/swarm/traffic', moved(1, 1e12));
    const ledger = swarm.gleaner.app.get(TrafficLedger);
    await expect
      .poll(async () => {
        await ledger.flush();
        return (await swarm.jobView()).swarm.savedBytes;
      }, SOON)
      .toBe((CHUNKS - 1) * CHUNK_BYTES);
  });

  it('is not counted for files that the host may not have, and refused for other peers', async () => {
    await swarm.newJob();
    const [idle, peer] = [await swarm.enrol(), await swarm.working()];
    expect((await idle.post('/v1/swarm/traffic', moved(1, 1_000))).status).toBe(204);
    await swarm.gleaner.app.get(TrafficLedger).flush();
    expect((await swarm.jobView()).swarm.savedBytes).toBe(0);
    expect((await peer.post('/v1/swarm/traffic', { ...moved(1, 1), peerId: idle.peerId })).status).toBe(403);
    expect((await peer.post('/v1/swarm/traffic', moved(1, -1))).status).toBe(400);
    expect((await peer.post('/v1/swarm/traffic', { seq: 1, files: [] })).status).toBe(400);
  });
});
