// STAND-IN for the coordinator's tracker and origin, for the benchmark alone: no accounts, no database, one blob, a capped line.
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  chunkSizeBytes,
  manifestBytes,
  originTicketsRequest,
  swarmAnnounce,
  type Manifest,
  type OriginTicketsAnswer,
  type OriginTicketsRequest,
  type SignedCertificate,
  type SignedPeerRecord,
  type SignedTicket,
} from '@gleaner/protocol';
import type { BlobLocation } from '@gleaner/swarm';
import { signBody } from '@gleaner/swarm/auth';
import { Bitmap } from '@gleaner/swarm/engine';

const PIECE_BYTES = 32 * 1024;
const ANNOUNCE_INTERVAL_MS = 1000;
const MAX_PEERS = 30;
const BUSY_RETRY_MS = 100;
const ELSEWHERE_RETRY_MS = 500;
/** What the line carries in this time may be granted and not yet fetched. */
const GRANT_AHEAD_MS = 1000;
/** A grant that was not fetched, or whose copy did not spread, is given to somebody else after this, and twice as long each time. */
const LEASE_MS = 4000;
const REPORTS_THAT_EXPOSE = 2;
const DAY_SECONDS = 24 * 3600;

interface Grant {
  readonly peerId: string;
  readonly atMs: number;
  isFetched: boolean;
  readonly leaseMs: number;
}

/** Tracker, ticketing origin and signer of one random blob. */
export class CoordinatorStandIn {
  readonly manifest: Manifest;
  readonly location: BlobLocation;
  readonly coordinatorKey: KeyObject;
  sentBytes = 0;
  /** The tracker works, and the origin leaves everything to peers. */
  isOriginClosed = false;
  readonly #key: KeyObject;
  readonly #content: Buffer;
  readonly #records = new Map<string, SignedPeerRecord>();
  readonly #reporters = new Map<string, Set<string>>();
  readonly #grants = new Map<number, Grant>();
  readonly #server: Server;
  #lineFreeAtMs = 0;

  private constructor(
    sizeBytes: number,
    private readonly bytesPerSecond: number,
  ) {
    const pair = generateKeyPairSync('ed25519');
    this.#key = pair.privateKey;
    this.coordinatorKey = pair.publicKey;
    this.#content = randomBytes(sizeBytes);
    const chunk = chunkSizeBytes(sizeBytes);
    const hashes: string[] = [];
    for (let at = 0; at < sizeBytes; at += chunk) hashes.push(sha256(this.#content.subarray(at, at + chunk)));
    this.manifest = { v: 1, alg: 'sha256', size: sizeBytes, chunk, hashes };
    this.location = {
      blobId: `sha256:${sha256(this.#content)}`,
      manifestId: sha256(manifestBytes(this.manifest)),
      sizeBytes,
      manifestUrl: '/manifest',
      contentUrl: '/content',
    };
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  static async start(sizeBytes: number, bytesPerSecond: number): Promise<CoordinatorStandIn> {
    const standIn = new CoordinatorStandIn(sizeBytes, bytesPerSecond);
    standIn.#server.listen(0, '127.0.0.1');
    await once(standIn.#server, 'listening');
    return standIn;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the stand-in is not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  chunk(index: number): Uint8Array {
    return this.#content.subarray(index * this.manifest.chunk, (index + 1) * this.manifest.chunk);
  }

  certify(peerId: string): SignedCertificate {
    const body = {
      kind: 'gleaner-certificate' as const,
      v: 1 as const,
      peerId,
      host: `bench-${this.#records.size}`,
      role: 'host' as const,
      serial: randomBytes(8).toString('hex'),
      exp: Math.floor(Date.now() / 1000) + DAY_SECONDS,
    };
    return signBody(body, this.#key);
  }

  ticketFor(peerId: string): SignedTicket {
    const exp = Math.floor(Date.now() / 1000) + DAY_SECONDS;
    const { manifestId } = this.location;
    return signBody({ kind: 'gleaner-swarm-ticket', v: 1, manifestId, peerId, exp }, this.#key);
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      await this.#sendRange(request, response);
      return;
    }
    const body = await readJson(request);
    const answer =
      request.url === '/v1/swarm/announce'
        ? this.#announce(body)
        : this.#grant(originTicketsRequest.parse(body));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  }

  #announce(body: unknown) {
    const { record, isLeaving, badPeers } = swarmAnnounce.parse(body);
    const { peerId } = record.record.body;
    for (const bad of badPeers) {
      this.#reporters.set(bad, (this.#reporters.get(bad) ?? new Set()).add(peerId));
    }
    if (isLeaving) this.#records.delete(peerId);
    else this.#records.set(peerId, record);
    const peers = [...this.#records]
      .filter(([id]) => id !== peerId && !this.#isExposed(id))
      .map(([, peer]) => peer);
    return { peers: peers.slice(0, MAX_PEERS), intervalMs: ANNOUNCE_INTERVAL_MS, revoked: [] };
  }

  /** Different chunks for different hosts, no faster than the line; again only what got lost. */
  #grant(request: OriginTicketsRequest): OriginTicketsAnswer {
    const now = performance.now();
    const nothing = (otherwise: 'busy' | 'elsewhere', retryAfterMs: number) => ({
      chunks: [],
      otherwise,
      retryAfterMs,
    });
    if (this.isOriginClosed || this.#isExposed(request.peerId))
      return nothing('elsewhere', ELSEWHERE_RETRY_MS);
    let outstandingBytes = 0;
    for (const grant of this.#grants.values()) {
      if (!grant.isFetched && now - grant.atMs < grant.leaseMs) outstandingBytes += this.manifest.chunk;
    }
    if (outstandingBytes >= Math.max(this.manifest.chunk, (this.bytesPerSecond * GRANT_AHEAD_MS) / 1000)) {
      return nothing('busy', BUSY_RETRY_MS);
    }
    const wanted = new Bitmap(this.manifest.hashes.length, Buffer.from(request.wanted, 'base64'));
    const fresh: number[] = [];
    const lost: number[] = [];
    for (const chunk of wanted) {
      const grant = this.#grants.get(chunk);
      if (!grant) fresh.push(chunk);
      else if (this.#isExposed(grant.peerId)) lost.push(chunk);
      else if ((request.urgent || !grant.isFetched) && now - grant.atMs > grant.leaseMs) lost.push(chunk);
    }
    const chunks = [...fresh, ...lost].slice(0, request.count);
    for (const chunk of chunks) {
      const leaseMs = (this.#grants.get(chunk)?.leaseMs ?? LEASE_MS / 2) * 2;
      this.#grants.set(chunk, { peerId: request.peerId, atMs: now, isFetched: false, leaseMs });
    }
    return { chunks, otherwise: 'elsewhere', retryAfterMs: ELSEWHERE_RETRY_MS };
  }

  #isExposed(peerId: string): boolean {
    return (this.#reporters.get(peerId)?.size ?? 0) >= REPORTS_THAT_EXPOSE;
  }

  async #sendRange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (!range) {
      response.writeHead(416).end();
      return;
    }
    const [start, end] = [Number(range[1]), Number(range[2]) + 1];
    response.writeHead(206, { 'content-length': end - start });
    for (let at = start; at < end && !response.destroyed; at += PIECE_BYTES) {
      const piece = this.#content.subarray(at, Math.min(at + PIECE_BYTES, end));
      await this.#passLine(piece.length);
      this.sentBytes += piece.length;
      response.write(piece);
    }
    response.end();
    const grant = this.#grants.get(start / this.manifest.chunk);
    if (grant) grant.isFetched = true;
  }

  /** One line for all requests, first come first served. */
  async #passLine(bytes: number): Promise<void> {
    const now = performance.now();
    this.#lineFreeAtMs = Math.max(this.#lineFreeAtMs, now) + (bytes / this.bytesPerSecond) * 1000;
    const waitMs = this.#lineFreeAtMs - now;
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) if (Buffer.isBuffer(piece)) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
