import { createHash, randomBytes } from 'node:crypto';
import { TicketFeeder } from '@gleaner/coordinator';
import { bitmapOf } from '@gleaner/domain';
import {
  originTicketsAnswer,
  publicJobView,
  siteStats,
  swarmAnnounceAnswer,
  swarmCertificateAnswer,
  type OriginTicketsAnswer,
  type OwnCertificate,
  type SwarmAnnounceAnswer,
} from '@gleaner/protocol';
import { createPeerIdentity, createPeerRecord, type PeerIdentity } from '@gleaner/swarm/auth';
import { expect } from 'vitest';
import {
  createTestApplication,
  createVolunteer,
  seedJob,
  TestHost,
  type TestApplication,
} from '../support/index.js';

export const CHUNK_BYTES = 256 * 1024;
/** Chunks of every input here. */
export const CHUNKS = 8;
export const ALL_CHUNKS: readonly number[] = [...Array(CHUNKS).keys()];

/** Four chunks a second from the origin, and hosts that come from wherever they say. */
const ENV = { GLEANER_TRUST_PROXY: 'true', GLEANER_ORIGIN_RATE_BYTES: String(4 * CHUNK_BYTES) };

/** Coordinators remember for seconds what rarely changes. */
export const SOON = { timeout: 60_000 };

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Call {
  readonly token?: string;
  /** Pretended; the coordinator trusts its proxy. */
  readonly address?: string;
}

type ApplicationOptions = NonNullable<Parameters<typeof createTestApplication>[0]>;

let networks = 0;

/** A coordinator, and the job of the hour: all its units read one input, which its volunteers share. */
export class Swarm implements AsyncDisposable {
  input = { blobId: '', manifestId: '' };
  jobId = 0;

  private constructor(
    readonly gleaner: TestApplication,
    readonly scientist: { readonly accountId: string; readonly token: string },
  ) {}

  static async open({ env, ...options }: ApplicationOptions = {}): Promise<Swarm> {
    const gleaner = await createTestApplication({ ...options, env: { ...ENV, ...env } });
    return new Swarm(gleaner, await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.gleaner.close();
  }

  /** A job whose units all read one new input; earlier jobs are put aside. */
  async newJob({ units = CHUNKS, isCut = false }: { units?: number; isCut?: boolean } = {}): Promise<void> {
    const { dataSource } = this.gleaner;
    await dataSource.query("UPDATE job SET state = 'paused' WHERE state = 'running'");
    this.input = await this.newInput();
    const { jobId } = await seedJob(dataSource, {
      units,
      accountId: this.scientist.accountId,
      replication: { quorum: 1 },
      inputs: { tape: this.input.blobId },
      ...(isCut && { cut: { input: 'tape', windowBytes: CHUNK_BYTES } }),
    });
    this.jobId = jobId;
  }

  async newInput(): Promise<{ blobId: string; manifestId: string }> {
    const content = randomBytes(CHUNKS * CHUNK_BYTES);
    const blobId = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const response = await fetch(new URL(`/v1/blobs/${blobId}`, this.gleaner.url), {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${this.scientist.token}`,
        'content-type': 'application/octet-stream',
      },
      body: content,
    });
    expect(response.status).toBe(201);
    const { manifestId } = (await response.json()) as { manifestId: string };
    return { blobId, manifestId };
  }

  /** Waits until the coordinator has all tickets of the job in its memory. */
  async ticketsAtHand(count: number): Promise<void> {
    const feeder = this.gleaner.app.get(TicketFeeder);
    const anybody = {
      party: { accountId: '0', personId: '0', hostId: '0', anonymous: false, network: null },
      classes: ['agent-64' as const],
      abreast: [],
      canJoin: () => false,
    };
    await expect
      .poll(async () => {
        await feeder.want(anybody.classes);
        return feeder.store.glance(anybody, 256).filter(({ jobId }) => jobId === this.jobId).length;
      }, SOON)
      .toBe(count);
  }

  /** A volunteer in the swarm, on a network of its own. */
  async enrol(): Promise<Peer> {
    const { gleaner } = this;
    const { token, accountId } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'volunteer');
    networks += 1;
    const address = `198.${18 + Math.floor(networks / 250)}.${networks % 250}.7`;
    const host = await TestHost.attach(gleaner.url, { token, address });
    const identity = createPeerIdentity();
    const { secret } = host.attached;
    const { body, status } = await this.post(
      '/v1/swarm/certificate',
      { peerId: identity.peerId },
      { token: secret, address },
    );
    expect(status).toBe(200);
    const { certificate } = swarmCertificateAnswer.parse(body);
    return new Peer(this, host, { identity, accountId, personToken: token, address, certificate });
  }

  /** One that computes with the job's input. */
  async working(): Promise<Peer> {
    const peer = await this.enrol();
    await peer.takeTask();
    return peer;
  }

  async post(path: string, body: unknown, call: Call = {}, at = this.gleaner.url): Promise<Answer> {
    const response = await fetch(new URL(path, at), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(call.token !== undefined && { authorization: `Bearer ${call.token}` }),
        ...(call.address !== undefined && { 'x-forwarded-for': call.address }),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
  }

  async jobView() {
    const response = await fetch(new URL(`/v1/public/jobs/${this.jobId}`, this.gleaner.url));
    expect(response.status).toBe(200);
    return publicJobView.parse(await response.json());
  }

  async site() {
    return siteStats.parse(await (await fetch(new URL('/v1/stats', this.gleaner.url))).json());
  }
}

interface PeerFacts {
  readonly identity: PeerIdentity;
  readonly accountId: string;
  readonly personToken: string;
  readonly address: string;
  readonly certificate: OwnCertificate;
  /** Of its records; 1 when left out. */
  readonly seq?: number;
}

/** A volunteer's host with a certificate, speaking the protocol and nothing else. */
export class Peer {
  /** The coordinator that it calls. */
  at: string;

  constructor(
    private readonly swarm: Swarm,
    readonly host: TestHost,
    private readonly facts: PeerFacts,
  ) {
    this.at = swarm.gleaner.url;
  }

  get peerId(): string {
    return this.facts.identity.peerId;
  }

  get hostId(): string {
    return this.host.attached.hostId;
  }

  get address(): string {
    return this.facts.address;
  }

  get personToken(): string {
    return this.facts.personToken;
  }

  get certificate(): OwnCertificate {
    return this.facts.certificate;
  }

  /** The same host as another peer. */
  async asAnother(): Promise<Peer> {
    const identity = createPeerIdentity();
    const { body } = await this.post('/v1/swarm/certificate', { peerId: identity.peerId });
    const { certificate } = swarmCertificateAnswer.parse(body);
    const seq = (this.facts.seq ?? 1) + 1;
    return new Peer(this.swarm, this.host, { ...this.facts, identity, certificate, seq });
  }

  async takeTask(): Promise<void> {
    const { tasks, noWork } = await this.host.ask();
    if (!tasks[0]) throw new Error(`no task: ${JSON.stringify(noWork)}`);
  }

  /** Holds a task without having asked the queues for it. */
  async holdTask(): Promise<void> {
    await this.swarm.gleaner.dataSource.query(
      `INSERT INTO lease (host_id, unit_id, ordinal, expires_at, deadline_at)
       SELECT $1, min(id), 0, now() + interval '1 hour', now() + interval '1 hour' FROM work_unit WHERE job_id = $2`,
      [this.hostId, this.swarm.jobId],
    );
  }

  post(path: string, body: object): Promise<Answer> {
    return this.call(path, { peerId: this.peerId, ...body });
  }

  announce(chunks: readonly number[], changes: Record<string, unknown> = {}): Promise<Answer> {
    const { manifestId } = this.swarm.input;
    const body = { manifestId, record: this.record(), have: bitmapText(chunks), ...changes };
    return this.call('/v1/swarm/announce', body);
  }

  async meet(chunks: readonly number[], changes: Record<string, unknown> = {}): Promise<SwarmAnnounceAnswer> {
    const { status, body } = await this.announce(chunks, changes);
    expect(status, JSON.stringify(body)).toBe(200);
    return swarmAnnounceAnswer.parse(body);
  }

  record() {
    return createPeerRecord(
      this.facts.identity,
      this.certificate,
      [`/ip4/127.0.0.1/tcp/40001`],
      this.facts.seq ?? 1,
    );
  }

  async originTickets(wanted: readonly number[], count = 2, urgent = false): Promise<OriginTicketsAnswer> {
    const { manifestId } = this.swarm.input;
    const request = { manifestId, wanted: bitmapText(wanted), count, urgent };
    const { status, body } = await this.post('/v1/swarm/origin-tickets', request);
    expect(status, JSON.stringify(body)).toBe(200);
    return originTicketsAnswer.parse(body);
  }

  async fetchChunk(chunk: number): Promise<number> {
    const response = await fetch(new URL(`/v1/blobs/${this.swarm.input.blobId}/content`, this.at), {
      headers: {
        authorization: `Bearer ${this.host.attached.secret}`,
        range: `bytes=${chunk * CHUNK_BYTES}-${(chunk + 1) * CHUNK_BYTES - 1}`,
      },
    });
    await response.arrayBuffer();
    return response.status;
  }

  private call(path: string, body: object): Promise<Answer> {
    return this.swarm.post(path, body, { token: this.host.attached.secret, address: this.address }, this.at);
  }
}

/** Peer ids that an announce was answered with, sorted. */
export function peersOf(answer: SwarmAnnounceAnswer): string[] {
  return answer.peers.map(({ record }) => record.body.peerId).toSorted();
}

export function bitmapText(chunks: readonly number[]): string {
  return Buffer.from(bitmapOf(CHUNKS, chunks)).toString('base64');
}
