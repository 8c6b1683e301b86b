import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  manifestBytes,
  type Manifest,
  type OriginTicketsAnswer,
  type SignedPeerRecord,
  type SwarmAnnounce,
  type SwarmAnnounceAnswer,
} from '@gleaner/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestCoordinator } from '../auth/trust.fixture.js';
import { memoryLinkPair, type Transport, type TransportEvents } from '../links/index.js';
import { Bitmap } from '../engine/index.js';
import { ChunkData } from '../store/index.js';
import type { SwarmCoordinator } from './swarm-coordinator.js';
import { SwarmNode, type SwarmNodeInit } from './swarm-node.js';

const CHUNK = 256 * 1024;
const CHUNKS = 8;

const pieces = Array.from({ length: CHUNKS }, (_, index) => new Uint8Array(CHUNK).fill(index + 1));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const manifest: Manifest = {
  v: 1,
  alg: 'sha256',
  size: CHUNKS * CHUNK,
  chunk: CHUNK,
  hashes: pieces.map(sha256),
};
const location = {
  blobId: `sha256:${'0'.repeat(64)}`,
  manifestId: sha256(manifestBytes(manifest)),
  sizeBytes: manifest.size,
  manifestUrl: '/manifest',
  contentUrl: '/content',
};
const everything = pieces.map((_, index) => index);

/** Links in memory, by address. */
class MemoryNetwork {
  readonly #listeners = new Map<string, TransportEvents>();

  open = (events: TransportEvents): Promise<Transport> => {
    const address = `/memory/${this.#listeners.size}`;
    this.#listeners.set(address, events);
    return Promise.resolve({
      addresses: [address],
      dial: (to: string) => {
        const listener = this.#listeners.get(to);
        if (!listener) return Promise.reject(new Error(`nobody at ${to}`));
        const [here, there] = memoryLinkPair();
        listener.onLink(there);
        return Promise.resolve(here);
      },
      close: () => {
        this.#listeners.delete(address);
        return Promise.resolve();
      },
    });
  };
}

/** A tracker, and an origin that delivers each chunk `copies` times. */
class OneBlobCoordinator implements SwarmCoordinator {
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

  requestOriginTickets({ count }: { count: number }): Promise<OriginTicketsAnswer> {
    const chunks = everything.filter((chunk) => !this.#granted.has(chunk)).slice(0, count);
    for (const chunk of chunks) this.#granted.add(chunk);
    return Promise.resolve({ chunks, otherwise: 'elsewhere', retryAfterMs: 100 });
  }

  fetchChunk(_location: unknown, _manifest: unknown, chunk: number): Promise<Uint8Array> {
    this.delivered.push(chunk);
    return Promise.resolve(pieces[chunk] ?? new Uint8Array(0));
  }
}

let directory: string;
const nodes: SwarmNode[] = [];
const opened: ChunkData[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-node-'));
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
  await Promise.all(opened.splice(0).map((data) => data.close()));
  await rm(directory, { recursive: true });
});

async function start(
  authority: TestCoordinator,
  init: Partial<SwarmNodeInit> & Pick<SwarmNodeInit, 'openTransport'>,
) {
  const enrolled = authority.enrol();
  const node = await SwarmNode.start({
    ...enrolled,
    coordinatorKey: authority.trust.coordinatorKey,
    ...init,
  });
  const data = await ChunkData.open(join(directory, `${nodes.length}`), manifest, new Bitmap(CHUNKS));
  nodes.push(node);
  opened.push(data);
  const ticket = authority.ticket(enrolled.identity.peerId, location.manifestId);
  return { node, ...enrolled, data, ticket, join: () => node.join({ location, manifest, ticket, data }) };
}

async function fetchAll({ node, data }: { node: SwarmNode; data: ChunkData }): Promise<number[]> {
  await node.fetch(location.manifestId, everything, AbortSignal.timeout(20_000));
  for (const index of everything) expect(await data.read(index)).toEqual(pieces[index]);
  return [...data.have];
}

function anAuthority(): TestCoordinator {
  const authority = new TestCoordinator();
  authority.nowMs = Date.now();
  return authority;
}

describe('SwarmNode', () => {
  it('shares a blob among hosts, so that each chunk leaves the origin once', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const init = { openTransport: network.open, coordinator };
    const hosts = [await start(authority, init), await start(authority, init), await start(authority, init)];
    for (const host of hosts) host.join();
    const fetched = await Promise.all(hosts.map(fetchAll));
    expect(fetched).toEqual([everything, everything, everything]);
    expect(coordinator.delivered.toSorted((a, b) => a - b)).toEqual(everything);
    const bytesFromPeers = hosts.reduce((sum, { node }) => sum + node.progress().bytesFromPeers, 0);
    expect(bytesFromPeers).toBe(2 * manifest.size);
  });

  it('gives nothing to a host of another coordinator', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const seed = await start(authority, { openTransport: network.open, coordinator });
    seed.join();
    await fetchAll(seed);
    const failures: string[] = [];
    const stranger = anAuthority();
    const outsider = await start(stranger, {
      openTransport: network.open,
      coordinatorKey: authority.trust.coordinatorKey,
      coordinator,
      log: (event) => failures.push(event),
    });
    outsider.join();
    await expect.poll(() => failures, { timeout: 5000 }).toContain('dial-failed');
    expect(outsider.node.progress()).toMatchObject({ bytesFromPeers: 0, peers: [] });
    expect(seed.node.progress()).toMatchObject({ bytesToPeers: 0, peers: [] });
  });

  it('ends the link to a host whose certificate is revoked', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const init = { openTransport: network.open, coordinator };
    const [a, b] = [await start(authority, init), await start(authority, init)];
    for (const host of [a, b]) host.join();
    await expect.poll(() => a.node.progress().peers.length, { timeout: 5000 }).toBe(1);
    coordinator.revoked = [b.certificate.body.serial];
    await expect.poll(() => a.node.progress().peers.length, { timeout: 5000 }).toBe(0);
  });

  it('refuses a manifest that is not the one it is told', async () => {
    const [authority, network] = [anAuthority(), new MemoryNetwork()];
    const { node, ticket, data } = await start(authority, { openTransport: network.open });
    const other = { ...manifest, hashes: manifest.hashes.toReversed() };
    expect(() => node.join({ location, manifest: other, ticket, data })).toThrow(RangeError);
  });

  it('stops a fetch when it is told to', async () => {
    const [authority, network] = [anAuthority(), new MemoryNetwork()];
    const { node, join } = await start(authority, { openTransport: network.open });
    join();
    const controller = new AbortController();
    const fetching = node.fetch(location.manifestId, [0], controller.signal);
    controller.abort(new Error('no longer needed'));
    await expect(fetching).rejects.toThrow('no longer needed');
  });
});
