import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPeerRecord, encodePeerRecord } from '../auth/index.js';
import { FRAME_LIMITS } from '../frames/index.js';
import type { Transport, TransportEvents } from '../links/index.js';
import type { ChunkData } from '../store/index.js';
import {
  anAuthority,
  CHUNK_BYTES,
  everything,
  location,
  manifest,
  MemoryNetwork,
  NodeFarm,
  OneBlobCoordinator,
  pieces,
} from './swarm-node.fixture.js';
import type { SwarmNode } from './swarm-node.js';
import type { SwarmProgress } from './swarm-node-init.js';

let farm: NodeFarm;
beforeEach(async () => {
  farm = await NodeFarm.make();
});
afterEach(() => farm[Symbol.asyncDispose]());

async function fetchAll({ node, data }: { node: SwarmNode; data: ChunkData }): Promise<number[]> {
  await node.fetch(location.manifestId, everything, AbortSignal.timeout(100_000));
  for (const index of everything) expect(await data.read(index)).toEqual(pieces[index]);
  return [...data.have];
}

describe('SwarmNode', () => {
  it('shares a blob among hosts, so that each chunk leaves the origin once', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const init = { openTransport: network.open, coordinator };
    const hosts = [
      await farm.start(authority, init),
      await farm.start(authority, init),
      await farm.start(authority, init),
    ];
    for (const host of hosts) host.join();
    const fetched = await Promise.all(hosts.map(fetchAll));
    expect(fetched).toEqual([everything, everything, everything]);
    expect(coordinator.delivered.toSorted((a, b) => a - b)).toEqual(everything);
    const bytesFromPeers = hosts.reduce((sum, { node }) => sum + node.progress().bytesFromPeers, 0);
    expect(bytesFromPeers).toBe(2 * manifest.size);
  });

  it('gives nothing to a host of another coordinator', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const seed = await farm.start(authority, { openTransport: network.open, coordinator });
    seed.join();
    await fetchAll(seed);
    const failures: string[] = [];
    const stranger = anAuthority();
    const outsider = await farm.start(stranger, {
      openTransport: network.open,
      coordinatorKey: authority.trust.coordinatorKey,
      coordinator,
      log: (event) => failures.push(event),
    });
    outsider.join();
    await expect.poll(() => failures).toContain('dial-failed');
    expect(outsider.node.progress()).toMatchObject({ bytesFromPeers: 0, peers: [] });
    expect(seed.node.progress()).toMatchObject({ bytesToPeers: 0, peers: [] });
  });

  it('ends the link to a host whose certificate is revoked', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const init = { openTransport: network.open, coordinator };
    const [a, b] = [await farm.start(authority, init), await farm.start(authority, init)];
    for (const host of [a, b]) host.join();
    await expect.poll(() => a.node.progress().peers.length).toBe(1);
    coordinator.revoked = [b.certificate.body.serial];
    await expect.poll(() => a.node.progress().peers.length).toBe(0);
  });

  it('does not dial a banned host that is another peer now again and again', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const { identity, certificate, node } = await farm.start(authority, { openTransport: network.open });
    coordinator.records.set(identity.peerId, createPeerRecord(identity, certificate, node.addresses, 1));
    const announce = vi.spyOn(coordinator, 'announce');
    let dials = 0;
    const openTransport = async (events: TransportEvents): Promise<Transport> => {
      const transport = await network.open(events);
      const dial: Transport['dial'] = (...to) => {
        dials += 1;
        // An endless loop would leave no time to notice it.
        return dials > 100 ? Promise.reject(new Error('dialled too often')) : transport.dial(...to);
      };
      return { ...transport, dial };
    };
    const banned = [[certificate.pseudonym, Date.now() + 1e8]] as const;
    const host = await farm.start(authority, { openTransport, coordinator, memory: { banned } });
    host.join();
    // The tracker names the peer every time.
    await expect.poll(() => announce.mock.calls.length).toBeGreaterThan(10);
    expect(dials).toBeGreaterThan(0);
    expect(dials).toBeLessThan(6);
    expect(host.node.progress().peers).toEqual([]);
  });

  it('passes on who has dialled it, so that hosts find each other without the coordinator', async () => {
    const [authority, network] = [anAuthority(), new MemoryNetwork()];
    const init = { openTransport: network.open, config: { peerExchangeIntervalMs: 100 } };
    const hub = await farm.start(authority, init);
    hub.join();
    const knownPeers = [
      encodePeerRecord(createPeerRecord(hub.identity, hub.certificate, hub.node.addresses, 1)),
    ];
    const [a, b] = [
      await farm.start(authority, { ...init, memory: { knownPeers } }),
      await farm.start(authority, { ...init, memory: { knownPeers } }),
    ];
    for (const host of [a, b]) host.join();
    const peersOf = ({ node }: { node: SwarmNode }) => node.progress().peers.map(({ peer }) => peer);
    await expect.poll(() => peersOf(a)).toContain(b.identity.peerId);
    // For the next start as well.
    expect(a.node.memory.knownPeers).toHaveLength(2);
  });

  it('stops once it has exchanged as much as it may, even amid a chunk', async () => {
    const [authority, network, coordinator] = [anAuthority(), new MemoryNetwork(), new OneBlobCoordinator()];
    const init = { openTransport: network.open, coordinator };
    const seed = await farm.start(authority, init);
    seed.join();
    await fetchAll(seed);
    const used = Promise.withResolvers<SwarmProgress>();
    const mostExchangedBytes = 2.5 * CHUNK_BYTES;
    const thrifty = await farm.start(authority, { ...init, mostExchangedBytes, onBudgetUsed: used.resolve });
    thrifty.join();
    await expect(fetchAll(thrifty)).rejects.toThrow('closing');
    const { exchangedBytes, bytesFromOrigin } = await used.promise;
    expect(exchangedBytes).toBeGreaterThanOrEqual(mostExchangedBytes);
    // A block more than it may: that one was on its way.
    expect(exchangedBytes).toBeLessThanOrEqual(mostExchangedBytes + FRAME_LIMITS.blockBytes);
    expect(bytesFromOrigin).toBe(0);
    await expect.poll(() => seed.node.progress().peers.length).toBe(0);
    expect(thrifty.data.have.size).toBeLessThanOrEqual(2);
  });

  it('refuses a manifest that is not the one it is told', async () => {
    const [authority, network] = [anAuthority(), new MemoryNetwork()];
    const { node, ticket, data } = await farm.start(authority, { openTransport: network.open });
    const other = { ...manifest, hashes: manifest.hashes.toReversed() };
    expect(() => node.join({ location, manifest: other, ticket, data })).toThrow(RangeError);
  });

  it('stops a fetch when it is told to', async () => {
    const [authority, network] = [anAuthority(), new MemoryNetwork()];
    const { node, join } = await farm.start(authority, { openTransport: network.open });
    join();
    const controller = new AbortController();
    const fetching = node.fetch(location.manifestId, [0], controller.signal);
    controller.abort(new Error('no longer needed'));
    await expect(fetching).rejects.toThrow('no longer needed');
  });
});
