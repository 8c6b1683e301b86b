import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres, openDataSource } from '@gleaner/coordinator';
import {
  manifest as manifestSchema,
  swarmCertificateAnswer,
  type Manifest,
  type SignedCertificate,
  type SignedTicket,
  type WorkResponse,
} from '@gleaner/protocol';
import { HttpOriginSource, type BlobLocation } from '@gleaner/swarm';
import { createPeerIdentity, type PeerIdentity } from '@gleaner/swarm/auth';
import { HttpSwarmCoordinator } from '@gleaner/swarm/process';
import { seedJob } from '../../support/seed-job.js';
import { createVolunteer, TestHost } from '../../support/test-host.js';
import { startCoordinator, type CoordinatorProcess } from '../dispatch/servers.js';
import { Started } from './started.js';

const UPLOAD_PIECE_BYTES = 32 * 1024 * 1024;
const ASK_AGAIN_MS = 100;
const SENT_BYTES = /^gleaner_origin_bytes_total (\d+)/m;
const CPU_SECONDS = /^process_cpu_seconds_total ([\d.]+)/m;

export interface BenchFile {
  readonly location: BlobLocation;
  readonly manifest: Manifest;
  readonly content: Buffer;
}

/** A volunteer's host that computes with the file: what its agent knows before it fetches anything. */
export interface Volunteer {
  readonly identity: PeerIdentity;
  readonly certificate: SignedCertificate;
  /** SPKI in DER. */
  readonly coordinatorKey: Uint8Array;
  readonly ticket: SignedTicket;
  readonly url: string;
  readonly token: string;
  readonly file: BenchFile;
}

/** The real coordinator in a process of its own, its origin's line capped, with a job that reads one random blob. */
export class BenchCoordinator {
  #lastSentBytes = 0;
  #isStopped = false;

  private constructor(
    readonly file: BenchFile,
    readonly url: string,
    private readonly operatorToken: string,
    private readonly coordinator: CoordinatorProcess,
    private readonly started: Started,
  ) {}

  /** @param volunteers hosts that will take a task of the job */
  static async start(options: {
    readonly sizeBytes: number;
    readonly originBytesPerSecond: number;
    readonly volunteers: number;
  }): Promise<BenchCoordinator> {
    const started = new Started();
    const directory = await started.add(mkdtemp(join(tmpdir(), 'gleaner-bench-swarm-')), (path) =>
      rm(path, { recursive: true, force: true }),
    );
    // As root Postgres runs as another user, who has to pass through here.
    await chmod(directory, 0o711);
    const postgres = await started.add(
      EmbeddedPostgres.start({ directory: join(directory, 'postgres') }),
      (server) => server.stop(),
    );
    const operatorToken = `gln_${randomBytes(32).toString('base64url')}`;
    const starting = startCoordinator({
      GLEANER_DATA: join(directory, 'data'),
      GLEANER_OPERATOR_TOKEN: operatorToken,
      GLEANER_ORIGIN_RATE_BYTES: String(options.originBytesPerSecond),
      // All peers are on this machine.
      GLEANER_ALLOW_SAME_NETWORK: '1',
      DATABASE_URL: postgres.url,
    });
    const coordinator = await started.add(starting, (process) => process.stop());
    const url = `http://127.0.0.1:${coordinator.port}`;
    const file = await upload(url, operatorToken, randomBytes(options.sizeBytes));
    const scientist = await createVolunteer(url, operatorToken, 'scientist');
    const dataSource = await openDataSource({ url: postgres.url, connections: 2 });
    await seedJob(dataSource, {
      units: options.volunteers,
      accountId: scientist.accountId,
      replication: { quorum: 1 },
      inputs: { tape: file.location.blobId },
    });
    await dataSource.destroy();
    return new BenchCoordinator(file, url, operatorToken, coordinator, started);
  }

  /** Attaches a host as a person would, gets it into the swarm, and has it take a task. */
  async enrol(): Promise<Volunteer> {
    const { token } = await createVolunteer(this.url, this.operatorToken, 'volunteer');
    const host = await TestHost.attach(this.url, { token });
    const identity = createPeerIdentity();
    const { peerId } = identity;
    const answer = swarmCertificateAnswer.parse(await host.post('/v1/swarm/certificate', { peerId }));
    const ticket = await this.#takeTask(host, peerId);
    return {
      identity,
      certificate: answer.certificate,
      coordinatorKey: Buffer.from(answer.coordinatorKey, 'base64'),
      ticket,
      url: this.url,
      token: host.attached.secret,
      file: this.file,
    };
  }

  /** Bytes of the blob that have left the origin. */
  async sentBytes(): Promise<number> {
    if (!this.#isStopped) this.#lastSentBytes = await this.#metric(SENT_BYTES);
    return this.#lastSentBytes;
  }

  /** Processor time of the coordinator since its start; null once it is gone. */
  async cpuSeconds(): Promise<number | null> {
    return this.#isStopped ? null : await this.#metric(CPU_SECONDS);
  }

  /** Origin and tracker are gone from one moment to the next. */
  async cutOff(): Promise<void> {
    await this.sentBytes();
    this.#isStopped = true;
    await this.coordinator.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.started.end();
  }

  async #metric(pattern: RegExp): Promise<number> {
    const text = await (await fetch(new URL('/metrics', this.url))).text();
    return Number(pattern.exec(text)?.[1] ?? 0);
  }

  async #takeTask(host: TestHost, peerId: string): Promise<SignedTicket> {
    for (;;) {
      const answer: WorkResponse = await host.work({
        request: { maxTasks: 1, memoryMiB: 4096, cores: 4, peerId },
      });
      const ticket = answer.jobs[0]?.inputs['tape']?.swarmTicket;
      if (ticket) return ticket;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
}

/** The coordinator as the volunteer's agent calls it. */
export function coordinatorOf({ url, token }: Pick<Volunteer, 'url' | 'token'>): HttpSwarmCoordinator {
  const baseUrl = new URL(url);
  const credentials = () => ({ authorization: `Bearer ${token}` });
  return new HttpSwarmCoordinator({ baseUrl, credentials, origin: originOf({ url, token }, 2) });
}

export function originOf(
  { url, token }: Pick<Volunteer, 'url' | 'token'>,
  attempts?: number,
): HttpOriginSource {
  return new HttpOriginSource({
    baseUrl: new URL(url),
    credentials: () => ({ authorization: `Bearer ${token}` }),
    retryDelayMs: () => 250,
    ...(attempts !== undefined && { attempts }),
  });
}

async function upload(url: string, token: string, content: Buffer): Promise<BenchFile> {
  const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
  const created = await fetch(new URL('/v1/uploads', url), {
    method: 'POST',
    headers: { ...headers, 'upload-length': String(content.length) },
  });
  const location = created.headers.get('location');
  if (location === null) throw new Error(`no upload was begun: ${created.status} ${await created.text()}`);
  for (let at = 0; at < content.length; at += UPLOAD_PIECE_BYTES) {
    const sent = await fetch(new URL(location, url), {
      method: 'PATCH',
      headers: {
        ...headers,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(at),
      },
      body: new Uint8Array(content.subarray(at, at + UPLOAD_PIECE_BYTES)),
    });
    if (!sent.ok) throw new Error(`the upload failed: ${sent.status} ${await sent.text()}`);
  }
  const blobId = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const manifestUrl = `/v1/blobs/${blobId}/manifest`;
  const response = await fetch(new URL(manifestUrl, url), { headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new Error(`no manifest: ${response.status} ${bytes.toString()}`);
  return {
    content,
    manifest: manifestSchema.parse(JSON.parse(bytes.toString())),
    location: {
      blobId,
      manifestId: createHash('sha256').update(bytes).digest('hex'),
      sizeBytes: content.length,
      manifestUrl,
      contentUrl: `/v1/blobs/${blobId}/content`,
    },
  };
}
