import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  manifestBytes,
  type Manifest,
  type OriginTicketsAnswer,
  type OriginTicketsRequest,
  type SignedPeerRecord,
  type SwarmAnnounce,
  type SwarmAnnounceAnswer,
} from '@gleaner/protocol';
import { TestCoordinator } from '../auth/trust.fixture.js';
import { Bitmap } from '../engine/index.js';
import { memoryLinkPair, type Link, type Transport, type TransportEvents } from '../links/index.js';
import { ChunkData } from '../store/index.js';
import type { SwarmCoordinator } from './swarm-coordinator.js';
import { SwarmNode } from './swarm-node.js';
import type { SwarmNodeInit } from './swarm-node-init.js';

export const CHUNK_BYTES = 256 * 1024;
export const CHUNKS = 8;

/** The chunks of the blob that everybody shares. */
export const pieces = Array.from({ length: CHUNKS }, (_, index) =>
  new Uint8Array(CHUNK_BYTES).fill(index + 1),
);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const manifest: Manifest = {
  v: 1,
  alg: 'sha256',
  size: CHUNKS * CHUNK_BYTES,
  chunk: CHUNK_BYTES,
  hashes: pieces.map(sha256),
};
export const location = {
  blobId: `sha256:${'0'.repeat(64)}`,
  manifestId: sha256(manifestBytes(manifest)),
  sizeBytes: manifest.size,
  manifestUrl: '/manifest',
  contentUrl: '/content',
};
/** All its chunks. */
export const everything = pieces.map((_, index) => index);

/** Links in memory, by address. */
export class MemoryNetwork {
  readonly #listeners = new Map<string, TransportEvents>();

  open = (events: TransportEvents): Promise<Transport> => {
    const address = `/ip4/192.0.2.1/tcp/${1 + this.#listeners.size}`;
    this.#listeners.set(address, events);
    return Promise.resolve({
      addresses: [address],
      dial: (to: string) => this.dial(to),
      close: () => {
        this.#listeners.delete(address);
        return Promise.resolve();
      },
    });
  };

  dial(address: string): Promise<Link> {
    const listener = this.#listeners.get(address);
    if (!listener) return Promise.reject(new Error(`nobody at ${address}`));
    const [here, there] = memoryLinkPair();
    listener.onLink(there);
    return Promise.resolve(here);
  }
}

/** A tracker, and an origin that delivers each chunk `copies` times. */
export class OneBlobCoordinator implements SwarmCoordinator {
  readonly records = new Map<string, SignedPeerRecord>();
  readonly delivered: number[] = [];
  readonly #granted = new Set<number>();
  revoked: string[] = [];
  reported: string[] = [];

  announce({ record, badPeers }: SwarmAnnounce): Promise<SwarmAnnounceAnswer> {
    this.records.set(record.record.body.peerId, record);
    this.reported.push(...badPeers);
    return Promise.resolve({ peers: [...this.records.values()], intervalMs: 100, revoked: this.revoked });
  }

  requestOriginTickets({ count, wanted }: OriginTicketsRequest): Promise<OriginTicketsAnswer> {
    // What a peer was asked for is not wanted of the origin: else it would come from whoever is quicker.
    const asked = new Bitmap(CHUNKS, Buffer.from(wanted, 'base64'));
    const chunks = [...asked].filter((chunk) => !this.#granted.has(chunk)).slice(0, count);
    for (const chunk of chunks) this.#granted.add(chunk);
    return Promise.resolve({ chunks, otherwise: 'elsewhere', retryAfterMs: 100 });
  }

  fetchChunk(_location: unknown, _manifest: unknown, chunk: number): Promise<Uint8Array> {
    this.delivered.push(chunk);
    return Promise.resolve(pieces[chunk] ?? new Uint8Array(0));
  }
}

/** Nodes and their files, gone when disposed of. */
export class NodeFarm implements AsyncDisposable {
  readonly #nodes: SwarmNode[] = [];
  readonly #opened: ChunkData[] = [];

  private constructor(private readonly directory: string) {}

  static async make(): Promise<NodeFarm> {
    return new NodeFarm(await mkdtemp(join(tmpdir(), 'gleaner-node-')));
  }

  async start(
    authority: TestCoordinator,
    init: Partial<SwarmNodeInit> & Pick<SwarmNodeInit, 'openTransport'>,
  ) {
    const enrolled = authority.enrol();
    const node = await SwarmNode.start({
      ...enrolled,
      coordinatorKey: authority.trust.coordinatorKey,
      ...init,
    });
    this.#nodes.push(node);
    const path = join(this.directory, `${this.#nodes.length}`);
    const data = await ChunkData.open(path, manifest, new Bitmap(CHUNKS));
    this.#opened.push(data);
    const ticket = authority.ticket(enrolled.identity.peerId, location.manifestId);
    return { node, ...enrolled, data, ticket, join: () => node.join({ location, manifest, ticket, data }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.close()));
    await Promise.all(this.#opened.splice(0).map((data) => data.close()));
    await rm(this.directory, { recursive: true });
  }
}

/** Whose signatures count now. */
export function anAuthority(): TestCoordinator {
  const authority = new TestCoordinator();
  authority.nowMs = Date.now();
  return authority;
}
