import { createHash, createPublicKey, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrafficLedger } from '@gleaner/coordinator';
import { bitmapOf, chunksOf } from '@gleaner/domain';
import {
  originTicketsAnswer,
  publicJobView,
  siteStats,
  swarmAnnounceAnswer,
  swarmCertificateAnswer,
  swarmReplicasAnswer,
  swarmTicketsAnswer,
  workResponse,
  type SignedCertificate,
  type SwarmAnnounceAnswer,
  type SwarmReplicasAnswer,
} from '@gleaner/protocol';
import {
  createPeerIdentity,
  createPeerRecord,
  judgeTicket,
  encodeTicket,
  requireValidCertificate,
  type PeerIdentity,
} from '@gleaner/swarm/auth';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVolunteer, seedJob, TestHost } from '../e2e/dispatch-fixture.js';
import {
  createTestApplication,
  startRedis,
  type RedisServer,
  type TestApplication,
} from '../support/index.js';

const CHUNK_BYTES = 256 * 1024;
const CHUNKS = 8;
const redisUrl = inject('redisUrl');
const ENV = { GLEANER_TRUST_PROXY: 'true', GLEANER_ORIGIN_RATE_BYTES: String(4 * CHUNK_BYTES) };

/** Coordinators remember for seconds what rarely changes. */
const SOON = { timeout: 15_000 };

let gleaner: TestApplication;
let scientist: { accountId: string; token: string };
let networks = 0;

beforeAll(async () => {
  gleaner = await createTestApplication({ env: ENV });
  scientist = await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist');
});
afterAll(() => gleaner.close());

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function post(
  path: string,
  body: unknown,
  token?: string,
  address?: string,
  at = gleaner.url,
): Promise<Answer> {
  const response = await fetch(new URL(path, at), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(address !== undefined && { 'x-forwarded-for': address }),
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}

/** A volunteer in the swarm, on a network of its own. */
class Peer {
  /** The coordinator that it calls. */
  at = gleaner.url;

  private constructor(
    readonly host: TestHost,
    readonly identity: PeerIdentity,
    readonly accountId: string,
    readonly personToken: string,
    readonly address: string,
    readonly certificate: SignedCertificate,
  ) {}

  static async enrol(): Promise<Peer> {
    const { token, accountId } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'volunteer');
    networks += 1;
    const address = `198.${18 + Math.floor(networks / 250)}.${networks % 250}.7`;
    const host = await TestHost.attach(gleaner.url, { token, address });
    const identity = createPeerIdentity();
    const { body, status } = await post(
      '/v1/swarm/certificate',
      { peerId: identity.peerId },
      host.attached.secret,
      address,
    );
    expect(status).toBe(200);
    const { certificate } = swarmCertificateAnswer.parse(body);
    return new Peer(host, identity, accountId, token, address, certificate);
  }

  /** One that computes with these inputs. */
  static async working(): Promise<Peer> {
    const peer = await Peer.enrol();
    await peer.takeTask();
    return peer;
  }

  get peerId(): string {
    return this.identity.peerId;
  }

  get hostId(): string {
    return this.host.attached.hostId;
  }

  async takeTask(): Promise<void> {
    const { tasks, noWork } = await this.host.ask();
    if (!tasks[0]) throw new Error(`no task: ${JSON.stringify(noWork)}`);
  }

  /** Holds a task without having asked the queues for it. */
  async holdTask(): Promise<void> {
    await gleaner.dataSource.query(
      `INSERT INTO lease (host_id, unit_id, ordinal, expires_at, deadline_at)
       SELECT $1, min(id), 0, now() + interval '1 hour', now() + interval '1 hour' FROM work_unit WHERE job_id = $2`,
      [this.hostId, jobId],
    );
  }

  post(path: string, body: object): Promise<Answer> {
    return post(path, { peerId: this.peerId, ...body }, this.host.attached.secret, this.address, this.at);
  }

  announce(chunks: readonly number[], changes: Record<string, unknown> = {}): Promise<Answer> {
    const body = {
      manifestId: input.manifestId,
      record: this.record(),
      have: base64(chunks),
      ...changes,
    };
    return post('/v1/swarm/announce', body, this.host.attached.secret, this.address, this.at);
  }

  async meet(chunks: readonly number[], changes: Record<string, unknown> = {}): Promise<SwarmAnnounceAnswer> {
    const { status, body } = await this.announce(chunks, changes);
    expect(status, JSON.stringify(body)).toBe(200);
    return swarmAnnounceAnswer.parse(body);
  }

  record() {
    return createPeerRecord(this.identity, this.certificate, [`/ip4/127.0.0.1/tcp/40001`], 1);
  }

  async originTickets(wanted: readonly number[], count = 2, urgent = false) {
    const { status, body } = await this.post('/v1/swarm/origin-tickets', {
      manifestId: input.manifestId,
      wanted: base64(wanted),
      count,
      urgent,
    });
    expect(status, JSON.stringify(body)).toBe(200);
    return originTicketsAnswer.parse(body);
  }

  async fetchChunk(chunk: number): Promise<number> {
    const response = await fetch(new URL(`/v1/blobs/${input.blobId}/content`, this.at), {
      headers: {
        authorization: `Bearer ${this.host.attached.secret}`,
        range: `bytes=${chunk * CHUNK_BYTES}-${(chunk + 1) * CHUNK_BYTES - 1}`,
      },
    });
    await response.arrayBuffer();
    return response.status;
  }
}

interface Input {
  readonly blobId: string;
  readonly manifestId: string;
}
let input: Input;
let jobId: number;

/** A job whose units all read one new input; earlier jobs are put aside. */
async function aJob(units = 8): Promise<void> {
  await gleaner.dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
  input = await anInput();
  const replication = { quorum: 1 };
  const job = { units, accountId: scientist.accountId, replication, inputs: { tape: input.blobId } };
  ({ jobId } = await seedJob(gleaner.dataSource, job));
}

async function anInput(): Promise<Input> {
  const content = randomBytes(CHUNKS * CHUNK_BYTES);
  const blobId = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const response = await fetch(new URL(`/v1/blobs/${blobId}`, gleaner.url), {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${scientist.token}`,
      'content-type': 'application/octet-stream',
    },
    body: content,
  });
  expect(response.status).toBe(201);
  const stored = (await response.json()) as { manifestId: string };
  return { blobId, manifestId: stored.manifestId };
}

const peersOf = (answer: SwarmAnnounceAnswer): string[] =>
  answer.peers.map(({ record }) => record.body.peerId).toSorted();

describe('certificates', () => {
  it('let the peer id of a host into the swarm for at most seven days, and tell nobody which host it is', async () => {
    const peer = await Peer.enrol();
    const again = swarmCertificateAnswer.parse((await peer.post('/v1/swarm/certificate', {})).body);
    expect(again.certificate).toEqual(peer.certificate);
    expect(again.seenAddress).toBe(peer.address);
    const trust = {
      coordinatorKey: createPublicKey({
        key: Buffer.from(again.coordinatorKey, 'base64'),
        format: 'der',
        type: 'spki',
      }),
      isRevoked: () => false,
      now: Date.now,
    };
    expect(() => requireValidCertificate(again.certificate, trust)).not.toThrow();
    const { body } = again.certificate;
    expect(body.peerId).toBe(peer.peerId);
    expect(body.exp - Date.now() / 1000).toBeLessThanOrEqual(7 * 24 * 3600);
    // A short id may well occur in a pseudonym by chance.
    expect(body.host).toMatch(/^[0-9a-f]{16,}$/);
    expect(body.host).not.toBe(peer.hostId);
  });

  it('are for attached hosts alone', async () => {
    const { peerId } = createPeerIdentity();
    expect((await post('/v1/swarm/certificate', { peerId })).status).toBe(401);
    expect((await post('/v1/swarm/certificate', { peerId }, scientist.token)).status).toBe(403);
  });

  it.each([{ peerId: '12D3KooWhello' }, { peerId: 7 }, { extra: true }])(
    'are refused for what is no peer id: %o',
    async (body) => {
      const peer = await Peer.enrol();
      expect((await peer.post('/v1/swarm/certificate', body)).status).toBe(400);
    },
  );

  it('are given for a few peer ids of a host, not for any number', async () => {
    const peer = await Peer.enrol();
    const statuses: number[] = [];
    for (let extra = 0; extra < 4; extra += 1) {
      const { peerId } = createPeerIdentity();
      statuses.push((await peer.post('/v1/swarm/certificate', { peerId })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 409]);
  });

  it('count no longer once they have expired', async () => {
    await aJob();
    const peer = await Peer.working();
    await gleaner.dataSource.query(
      "UPDATE swarm_certificate SET expires_at = now() - interval '1 second' WHERE host_id = $1",
      [peer.hostId],
    );
    expect((await peer.announce([])).status).toBe(403);
    const renewed = await peer.post('/v1/swarm/certificate', {});
    const { certificate } = swarmCertificateAnswer.parse(renewed.body);
    expect(certificate.body.serial).not.toBe(peer.certificate.body.serial);
    const [{ count }]: [{ count: string }] = await gleaner.dataSource.query(
      'SELECT count(*) FROM swarm_certificate WHERE expires_at < now()',
    );
    expect(count).toBe('0');
  });
});

describe('tickets', () => {
  it('are given for the inputs of open tasks, and refused with a reason for others', async () => {
    await aJob();
    const other = 'f'.repeat(64);
    const peer = await Peer.enrol();
    const before = swarmTicketsAnswer.parse(
      (await peer.post('/v1/swarm/tickets', { manifestIds: [input.manifestId] })).body,
    );
    expect(before).toMatchObject({ tickets: [], refused: [{ manifestId: input.manifestId }] });
    await peer.takeTask();
    const { tickets, refused } = swarmTicketsAnswer.parse(
      (await peer.post('/v1/swarm/tickets', { manifestIds: [input.manifestId, other] })).body,
    );
    expect(tickets.map(({ body }) => [body.manifestId, body.peerId])).toEqual([
      [input.manifestId, peer.peerId],
    ]);
    expect(refused.map(({ manifestId }) => manifestId)).toEqual([other]);
  });

  it('come with the inputs of a work answer to a peer, signed by the coordinator', async () => {
    await aJob();
    const peer = await Peer.enrol();
    const ask = async (peerId?: string) => {
      for (;;) {
        const request = {
          maxTasks: 1,
          memoryMiB: 512,
          cores: 4,
          ...(peerId !== undefined && { peerId }),
        };
        const answer = workResponse.parse(await peer.host.work({ request }));
        if (answer.tasks.length > 0) return answer.jobs[0]?.inputs['tape']?.swarmTicket;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const ticket = await ask(peer.peerId);
    if (!ticket) throw new Error('no ticket came');
    const { coordinatorKey } = swarmCertificateAnswer.parse(
      (await peer.post('/v1/swarm/certificate', {})).body,
    );
    const trust = {
      coordinatorKey: createPublicKey({
        key: Buffer.from(coordinatorKey, 'base64'),
        format: 'der',
        type: 'spki',
      }),
      isRevoked: () => false,
      now: Date.now,
    };
    expect(judgeTicket(encodeTicket(ticket), peer.peerId, input.manifestId, trust)).toBeGreaterThan(
      Date.now(),
    );
    expect(await ask(createPeerIdentity().peerId)).toBeUndefined();
    expect(await ask()).toBeUndefined();
  });

  it('are refused to whoever names another host’s peer id, too many files, or nothing sensible', async () => {
    await aJob();
    const [peer, other] = [await Peer.working(), await Peer.working()];
    const manifestIds = [input.manifestId];
    const foreign = await peer.post('/v1/swarm/tickets', { manifestIds, peerId: other.peerId });
    expect(foreign.status).toBe(403);
    expect((await post('/v1/swarm/tickets', { peerId: peer.peerId, manifestIds })).status).toBe(401);
    const many = Array.from({ length: 33 }, () => input.manifestId);
    expect((await peer.post('/v1/swarm/tickets', { manifestIds: many })).status).toBe(400);
    expect((await peer.post('/v1/swarm/tickets', { manifestIds: ['x'] })).status).toBe(400);
  });
});

describe('announces', () => {
  it('introduce the hosts that share a file, until they leave', async () => {
    await aJob();
    const [a, b] = [await Peer.working(), await Peer.working()];
    expect(await a.meet([])).toMatchObject({ peers: [], intervalMs: 1_000 });
    expect(peersOf(await b.meet([0, 1]))).toEqual([a.peerId]);
    const [known] = (await a.meet([0])).peers;
    expect(known).toEqual(b.record());
    await b.meet([0, 1], { isLeaving: true });
    expect(peersOf(await a.meet([0]))).toEqual([]);
  });

  it('are refused to hosts whose tasks do not need the file', async () => {
    await aJob();
    expect((await (await Peer.enrol()).announce([])).status).toBe(403);
  });

  it('are refused for what is malformed, forged or somebody else’s', async () => {
    await aJob();
    const [peer, other] = [await Peer.working(), await Peer.working()];
    const own = peer.record();
    const moved = { ...own.record.body, addresses: [`/ip4/192.0.2.9/tcp/1`] };
    const cases: ReadonlyArray<readonly [Record<string, unknown>, number]> = [
      [{ have: 'AAAA' }, 400],
      [{ have: 'no base64!' }, 400],
      [{ manifestId: 'x' }, 400],
      [{ badPeers: ['nobody'] }, 400],
      [{ record: other.record() }, 403],
      [{ record: { ...own, record: { ...own.record, body: moved } } }, 403],
      [{ record: { ...own, certificate: { ...own.certificate, sig: other.certificate.sig } } }, 403],
    ];
    for (const [changes, status] of cases) {
      expect([Object.keys(changes), (await peer.announce([], changes)).status]).toEqual([
        Object.keys(changes),
        status,
      ]);
    }
  });

  it('count a host’s word once, whatever it says it has', async () => {
    await aJob();
    const [honest, boastful] = [await Peer.working(), await Peer.working()];
    await honest.meet([0, 1, 2, 3]);
    for (let word = 0; word < 3; word += 1) await boastful.meet([0, 1, 2, 3, 4, 5, 6, 7]);
    const view = await jobView();
    expect(view.swarm.inputs).toEqual([
      {
        blobId: input.blobId,
        chunks: CHUNKS,
        chunksPerRun: 1,
        copies: [2, 2, 2, 2, 1, 1, 1, 1],
        minCopies: 1,
        averageCopies: 1.5,
      },
    ]);
  });
});

describe('revocation', () => {
  it('takes the certificates of a detached host out of the swarm, and tells each peer once', async () => {
    await aJob();
    const [a, leaving] = [await Peer.working(), await Peer.working()];
    const first = await a.meet([]);
    await leaving.meet([]);
    expect(peersOf(await a.meet([]))).toEqual([leaving.peerId]);
    const response = await fetch(new URL(`/v1/hosts/${leaving.hostId}`, gleaner.url), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${leaving.personToken}` },
    });
    expect(response.status).toBe(204);
    await expect
      .poll(async () => (await a.meet([], { revocationsSeen: first.revocations })).revoked, {
        timeout: 10_000,
      })
      .toContain(leaving.certificate.body.serial);
    const told = await a.meet([]);
    expect(peersOf(told)).toEqual([]);
    const later = (told.revocations ?? 0) + 60_000;
    expect((await a.meet([], { revocationsSeen: later })).revoked).toEqual([]);
    expect((await leaving.announce([])).status).toBe(401);
  });

  it('follows the revocation of a host’s token', async () => {
    await aJob();
    const [a, stolen] = [await Peer.working(), await Peer.working()];
    const [{ id }]: [{ id: string }] = await gleaner.dataSource.query(
      'SELECT id FROM api_token WHERE host_id = $1',
      [stolen.hostId],
    );
    const response = await fetch(new URL(`/v1/tokens/${id}`, gleaner.url), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stolen.personToken}` },
    });
    expect(response.status).toBe(204);
    await expect.poll(async () => (await a.meet([])).revoked, SOON).toContain(stolen.certificate.body.serial);
  });

  it('bars a peer that two independent hosts accuse, and not one that a single host accuses often', async () => {
    await aJob();
    const [liar, a, b, c] = [
      await Peer.working(),
      await Peer.working(),
      await Peer.working(),
      await Peer.working(),
    ];
    await liar.meet([0, 1]);
    const accusing = { badPeers: [liar.peerId] };
    for (let word = 0; word < 3; word += 1) await a.meet([], accusing);
    expect(peersOf(await c.meet([]))).toContain(liar.peerId);
    const { revoked } = await b.meet([], accusing);
    expect(revoked).toContain(liar.certificate.body.serial);
    expect(peersOf(await c.meet([]))).not.toContain(liar.peerId);
    const refusal = await liar.post('/v1/swarm/certificate', {});
    expect(refusal).toMatchObject({ status: 403, body: { type: 'urn:gleaner:problem:forbidden' } });
    // It may still work: HTTPS is always open to it.
    expect(await liar.fetchChunk(0)).toBe(206);
  });
});

describe('origin tickets', () => {
  it('send different hosts for different chunks, no more than the line carries in a second', async () => {
    await aJob();
    const [a, b, c] = [await Peer.working(), await Peer.working(), await Peer.working()];
    const all = [...Array(CHUNKS).keys()];
    const [first, second] = [await a.originTickets(all), await b.originTickets(all)];
    expect(new Set([...first.chunks, ...second.chunks]).size).toBe(4);
    expect(await c.originTickets(all)).toMatchObject({ chunks: [], otherwise: 'busy' });
    const [done] = first.chunks;
    if (done === undefined) throw new Error('nothing was granted');
    expect(await a.fetchChunk(done)).toBe(206);
    await expect.poll(async () => (await c.originTickets(all, 1)).chunks, SOON).toHaveLength(1);
    expect((await b.originTickets([done])).chunks).toEqual([]);
  });

  it('are refused to others than those who compute with the file', async () => {
    await aJob();
    const [peer, idle] = [await Peer.working(), await Peer.enrol()];
    const body = { manifestId: input.manifestId, wanted: base64([0]), count: 1, urgent: false };
    expect((await idle.post('/v1/swarm/origin-tickets', body)).status).toBe(403);
    const foreign = { ...body, peerId: idle.peerId };
    expect((await peer.post('/v1/swarm/origin-tickets', foreign)).status).toBe(403);
    expect((await post('/v1/swarm/origin-tickets', foreign)).status).toBe(401);
    for (const changes of [{ wanted: 'AAAA' }, { count: 17 }, { urgent: 'very' }]) {
      expect((await peer.post('/v1/swarm/origin-tickets', { ...body, ...changes })).status).toBe(400);
    }
  });
});

describe('replicas', () => {
  it('are offered to a host with room, which may then have and share the file without a task', async () => {
    await aJob();
    const [worker, willing] = [await Peer.working(), await Peer.enrol()];
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
      .toEqual([input.blobId]);
    expect(offers).toMatchObject([
      {
        location: { blobId: input.blobId, manifestId: input.manifestId },
        ticket: { body: { manifestId: input.manifestId, peerId: willing.peerId } },
      },
    ]);
    const chunks = chunksOf(new Uint8Array(Buffer.from(offers[0]?.chunks ?? '', 'base64')), CHUNKS);
    expect(chunks).toHaveLength(3);
    // What nobody holds comes before what one host holds.
    expect(chunks.every((chunk) => chunk > 1)).toBe(true);
    expect(await willing.fetchChunk(chunks[0] ?? 0)).toBe(206);
    expect(peersOf(await willing.meet(chunks))).toEqual([worker.peerId]);
  });

  it('are not offered of what the host holds, nor without room', async () => {
    await aJob();
    const willing = await Peer.enrol();
    const nothing = { offers: [], retryAfterMs: 300_000 };
    const holds = [input.manifestId];
    // The list of open jobs may be some seconds old: somebody else is offered the file as soon as it is there.
    const other = await Peer.enrol();
    await expect
      .poll(async () => {
        const { body } = await other.post('/v1/swarm/replicas', { freeBytes: 1e9, holds: [] });
        return swarmReplicasAnswer.parse(body).offers.map(({ location }) => location.blobId);
      }, SOON)
      .toContain(input.blobId);
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
    files: [{ manifestId: input.manifestId, fromPeersBytes, fromOriginBytes: 0, toPeersBytes: 0 }],
  });

  it('is what the swarm saved, on the job’s page and the site’s, each report once', async () => {
    await aJob();
    const peer = await Peer.working();
    const before = BigInt((await site()).totals.savedBytes);
    expect((await peer.post('/v1/swarm/traffic', moved(1, 1_000))).status).toBe(204);
    expect((await peer.post('/v1/swarm/traffic', moved(1, 1_000))).status).toBe(204);
    expect((await peer.post('/v1/swarm/traffic', moved(2, 500))).status).toBe(204);
    await gleaner.app.get(TrafficLedger).flush();
    expect((await jobView()).swarm.savedBytes).toBe(1_500);
    await expect.poll(async () => BigInt((await site()).totals.savedBytes) - before, SOON).toBe(1_500n);
  });

  it('saves no more than the origin did not send, whatever a host says', async () => {
    await aJob();
    const peer = await Peer.working();
    expect(await peer.fetchChunk(0)).toBe(206);
    await peer.post('/v1/swarm/traffic', moved(1, 1e12));
    const ledger = gleaner.app.get(TrafficLedger);
    await expect
      .poll(async () => {
        await ledger.flush();
        return (await jobView()).swarm.savedBytes;
      }, SOON)
      .toBe((CHUNKS - 1) * CHUNK_BYTES);
  });

  it('is not counted for files that the host may not have, and refused for other peers', async () => {
    await aJob();
    const [idle, peer] = [await Peer.enrol(), await Peer.working()];
    expect((await idle.post('/v1/swarm/traffic', moved(1, 1_000))).status).toBe(204);
    await gleaner.app.get(TrafficLedger).flush();
    expect((await jobView()).swarm.savedBytes).toBe(0);
    expect((await peer.post('/v1/swarm/traffic', { ...moved(1, 1), peerId: idle.peerId })).status).toBe(403);
    expect((await peer.post('/v1/swarm/traffic', moved(1, -1))).status).toBe(400);
    expect((await peer.post('/v1/swarm/traffic', { seq: 1, files: [] })).status).toBe(400);
  });
});

describe.skipIf(redisUrl === null)('several coordinators on one Redis', () => {
  let first: TestApplication;
  let second: TestApplication;
  let alone: TestApplication;
  beforeAll(async () => {
    alone = gleaner;
    first = await createTestApplication({ redis: true, env: ENV });
    const { databaseUrl, dataDir } = first.config;
    if (databaseUrl === null) throw new Error('the test application has a database');
    second = await createTestApplication({ redis: true, env: ENV, databaseUrl, dataDir });
    gleaner = first;
    scientist = await createVolunteer(first.url, first.operatorToken, 'scientist');
  });
  afterAll(async () => {
    gleaner = alone;
    await second.close();
    await first.close();
  });

  it('see the same swarm: peers, origin tickets and reports', async () => {
    await aJob();
    const [a, b] = [await Peer.working(), await Peer.working()];
    b.at = second.url;
    await a.meet([0]);
    expect(peersOf(await b.meet([1]))).toEqual([a.peerId]);
    expect(peersOf(await a.meet([0]))).toEqual([b.peerId]);
    const all = [...Array(CHUNKS).keys()];
    const [mine, theirs] = await Promise.all([a.originTickets(all), b.originTickets(all)]);
    expect(new Set([...mine.chunks, ...theirs.chunks]).size).toBe(4);
    const report = {
      seq: 1,
      files: [{ manifestId: input.manifestId, fromPeersBytes: 700, fromOriginBytes: 0, toPeersBytes: 0 }],
    };
    await a.post('/v1/swarm/traffic', report);
    a.at = second.url;
    await a.post('/v1/swarm/traffic', report);
    await Promise.all([first, second].map((each) => each.app.get(TrafficLedger).flush()));
    expect((await jobView()).swarm.savedBytes).toBe(700);
  });
});

describe.skipIf(redisUrl === null)('a coordinator whose board is away', () => {
  let alone: TestApplication;
  let redis: RedisServer;
  let directory: string;
  beforeAll(async () => {
    alone = gleaner;
    directory = await mkdtemp(join(tmpdir(), 'gleaner-redis-'));
    const started = await startRedis(directory);
    if (!started) throw new Error('Redis was there a moment ago');
    redis = started;
    gleaner = await createTestApplication({ env: { ...ENV, REDIS_URL: redis.url } });
    scientist = await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist');
  });
  afterAll(async () => {
    await gleaner.close();
    gleaner = alone;
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('says so, and still certifies peers and sends inputs over HTTPS', async () => {
    await aJob();
    const [peer, stranger] = [await Peer.enrol(), await Peer.enrol()];
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

async function jobView() {
  const response = await fetch(new URL(`/v1/public/jobs/${jobId}`, gleaner.url));
  expect(response.status).toBe(200);
  return publicJobView.parse(await response.json());
}

async function site() {
  return siteStats.parse(await (await fetch(new URL('/v1/stats', gleaner.url))).json());
}

function base64(chunks: readonly number[]): string {
  return Buffer.from(bitmapOf(CHUNKS, chunks)).toString('base64');
}
