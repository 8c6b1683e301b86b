import { afterEach, describe, expect, it, vi } from 'vitest';
import { createPeerIdentity } from '../auth/index.js';
import { TestCoordinator } from '../auth/trust.fixture.js';
import type { Transport } from '../links/index.js';
import { PeerLinks } from './peer-links.js';
import { Rogue } from './rogue.fixture.js';
import { MemoryNetwork } from './swarm-node.fixture.js';

/** Whoever dials it hears nothing until giving up. */
const SILENT = '/ip4/192.0.2.2/tcp/1';
const opened: PeerLinks[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(opened.splice(0).map((links) => links.close()));
});

async function aHost(authority: TestCoordinator, network: MemoryNetwork) {
  const { identity, certificate } = authority.enrol();
  const clock = { nowMs: 0 };
  const connected: string[] = [];
  const disconnected: string[] = [];
  const heard: string[] = [];
  const dialled: string[] = [];
  const links = new PeerLinks({
    identity,
    certificate: () => certificate,
    trust: authority.trust,
    openTransport: async (events) => {
      const transport = await network.open(events);
      const dial: Transport['dial'] = (address, signal, ...rest) => {
        dialled.push(address);
        return address === SILENT ? untilAborted(signal) : transport.dial(address, signal, ...rest);
      };
      return { ...transport, dial };
    },
    onConnected: (peer) => connected.push(peer),
    onDisconnected: (peer) => disconnected.push(peer),
    onFrame: (_, { type }) => heard.push(type),
    onFlushed: () => undefined,
    onUnsent: () => undefined,
    readChunk: () => Promise.reject(new Error('nothing is shared')),
    onDiscovered: () => undefined,
    uselessPeer: () => undefined,
    now: () => clock.nowMs,
    log: () => undefined,
  });
  opened.push(links);
  await links.open();
  const [address = ''] = links.addresses;
  return { links, clock, connected, disconnected, heard, dialled, identity, address };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('nobody answers')));
  });
}

/** A clock for `AbortSignal.timeout`, which vitest's own does not drive; returns what lets time pass. */
function stopAbortClock(): (ms: number) => void {
  let nowMs = 0;
  const waiting = new Map<AbortController, number>();
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    waiting.set(controller, nowMs + ms);
    return controller.signal;
  });
  return (ms) => {
    nowMs += ms;
    for (const [controller, atMs] of waiting) if (atMs <= nowMs) controller.abort();
  };
}

/** Ended as soon as it was known who it is: before the last word of the handshake has come, or after. */
async function refused(meeting: Promise<Rogue>): Promise<void> {
  const rogue = await meeting.catch((error: unknown) => error);
  if (rogue instanceof Rogue) await rogue.ended;
  else expect(rogue).toMatchObject({ fault: 'refused' });
}

describe('PeerLinks', () => {
  it('tries a peer’s other addresses when somebody else is at the first', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const [here, other, wanted] = [
      await aHost(authority, network),
      await aHost(authority, network),
      await aHost(authority, network),
    ];
    await here.links.dial(wanted.identity.peerId, [other.address, wanted.address]);
    expect(here.connected).toEqual([wanted.identity.peerId]);
  });

  it('gives up an address where nobody answers for 15 s, and tries the next', async () => {
    const pass = stopAbortClock();
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const [here, wanted] = [await aHost(authority, network), await aHost(authority, network)];
    const dialling = here.links.dial(wanted.identity.peerId, [SILENT, wanted.address]);
    pass(14_999);
    expect(here.dialled).toEqual([SILENT]);
    pass(1);
    await dialling;
    expect(here.connected).toEqual([wanted.identity.peerId]);
  });

  it('gives up a peer after 20 s, however many addresses it has', async () => {
    const pass = stopAbortClock();
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const here = await aHost(authority, network);
    const dialling = here.links.dial(createPeerIdentity().peerId, [SILENT, SILENT, SILENT]);
    pass(15_000);
    await expect.poll(() => here.dialled).toHaveLength(2);
    pass(5000);
    expect(await dialling).toBe(true);
    expect(here.dialled).toHaveLength(2);
    expect(here.links.dialling).toBe(0);
  });

  it('looks for nobody where it has a link to another peer: a host’s old records stay around', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const [here, host] = [await aHost(authority, network), await aHost(authority, network)];
    const yesterday = createPeerIdentity().peerId;
    await here.links.dial(yesterday, [host.address]);
    await here.links.dial(host.identity.peerId, [host.address]);
    await here.links.dial(createPeerIdentity().peerId, [host.address]);
    expect(here.dialled).toEqual([host.address, host.address]);
  });

  it('makes a few links at a time, and says so to who found no place', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const here = await aHost(authority, network);
    const others = await Promise.all(Array.from({ length: 6 }, () => aHost(authority, network)));
    const dialAll = () =>
      Promise.all(others.map(({ identity, address }) => here.links.dial(identity.peerId, [address])));
    const first = dialAll();
    expect(here.links.dialling).toBe(4);
    expect((await first).filter((tried) => tried)).toHaveLength(4);
    expect(here.connected).toHaveLength(4);
    expect((await dialAll()).filter((tried) => tried)).toHaveLength(2);
    expect(here.connected).toHaveLength(6);
  });

  it('has two links at most to a host that is many peers', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const host = await aHost(authority, network);
    const pseudonym = 'b'.repeat(32);
    const { trust } = authority;
    const meet = async () =>
      Rogue.meet(await network.dial(host.address), { ...authority.enrol(pseudonym), trust });
    for (const connected of [1, 2]) {
      await meet();
      await expect.poll(() => host.connected).toHaveLength(connected);
    }
    await refused(meet());
    expect(host.connected).toHaveLength(2);
    await Rogue.meet(await network.dial(host.address), { ...authority.enrol(), trust });
    await expect.poll(() => host.connected).toHaveLength(3);
  });

  it('says a word where all is silent, and ends what does not answer', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const host = await aHost(authority, network);
    const rogue = await Rogue.meet(await network.dial(host.address), {
      ...authority.enrol(),
      trust: authority.trust,
    });
    await expect.poll(() => host.connected.length).toBe(1);
    host.clock.nowMs = 31_000;
    host.links.tend();
    expect(await rogue.hears('peers')).toEqual({ type: 'peers', records: [] });
    host.clock.nowMs = 91_000;
    host.links.tend();
    await rogue.ended;
  });

  it('lets a peer come back whose old link is silent, but not beside a living one', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const host = await aHost(authority, network);
    const enrolled = authority.enrol();
    const meet = async () =>
      Rogue.meet(await network.dial(host.address), { ...enrolled, trust: authority.trust });
    const first = await meet();
    await expect.poll(() => host.connected.length).toBe(1);
    host.clock.nowMs = 46_000;
    await meet();
    await expect.poll(() => host.connected.length).toBe(2);
    await first.ended;
  });

  it('keeps a peer away for a while that it left over a fault', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const host = await aHost(authority, network);
    const enrolled = authority.enrol();
    const meet = async () =>
      Rogue.meet(await network.dial(host.address), { ...enrolled, trust: authority.trust });
    await meet();
    await expect.poll(() => host.connected.length).toBe(1);
    host.links.disconnect(enrolled.identity.peerId, 'request-flood', false);
    await refused(meet());
    expect(host.connected).toHaveLength(1);
    host.clock.nowMs = 30_001;
    await meet();
    await expect.poll(() => host.connected.length).toBe(2);
  });

  it('dials ever more rarely who does not want it, and as before once it was wanted', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const [here, other] = [await aHost(authority, network), await aHost(authority, network)];
    const herePeer = here.identity.peerId;
    const dial = () => here.links.dial(other.identity.peerId, [other.address]);
    // It lasts until its clock has gone on.
    other.links.disconnect(herePeer, 'request-flood', false);
    for (; here.clock.nowMs < 3_600_000; here.clock.nowMs += 5000) {
      await dial();
      await expect.poll(() => here.disconnected.length, { interval: 1 }).toBe(here.connected.length);
    }
    // After 5, 10, … 320 s, and then every ten minutes.
    expect(here.dialled).toHaveLength(12);

    other.clock.nowMs = 30_001;
    here.clock.nowMs += 600_000;
    await dial();
    await expect.poll(() => other.connected).toEqual([herePeer]);
    other.links.enqueue({ kind: 'send', peer: herePeer, frame: { type: 'peers', records: [] } });
    await expect.poll(() => here.heard).toEqual(['peers']);
    other.links.disconnect(herePeer, 'request-flood', false);
    await expect.poll(() => here.disconnected.length).toBe(here.connected.length);
    await dial();
    expect(here.dialled).toHaveLength(14);
  });

  it('does not count as unwanted how often a peer was not there', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const [here, other] = [await aHost(authority, network), await aHost(authority, network)];
    const dial = (address: string) => here.links.dial(other.identity.peerId, [address]);
    for (let night = 0; night < 100; night += 1) {
      await dial('/ip4/192.0.2.1/tcp/1');
      here.clock.nowMs += 30_000;
    }
    other.links.disconnect(here.identity.peerId, 'request-flood', false);
    const before = here.dialled.length;
    await dial(other.address);
    await expect.poll(() => here.disconnected.length).toBe(here.connected.length);
    here.clock.nowMs += 5000;
    await dial(other.address);
    expect(here.dialled.length - before).toBe(2);
  });

  it.each([
    '/ip4/127.0.0.1/tcp/631',
    '/ip4/127.8.8.8/tcp/80/ws',
    '/ip6/::1/tcp/1',
    '/ip6/::ffff:127.0.0.1/tcp/1',
    '/ip6/0::0/tcp/1',
  ])(
    'does not knock at this very machine, where it does not listen, because a peer says to be at %s',
    async (address) => {
      const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
      const [here, wanted] = [await aHost(authority, network), await aHost(authority, network)];
      expect(await here.links.dial(createPeerIdentity().peerId, [address])).toBe(false);
      await here.links.dial(wanted.identity.peerId, [address, wanted.address]);
      expect(here.dialled).toEqual([wanted.address]);
    },
  );

  it('does not dial a banned peer', async () => {
    const [authority, network] = [new TestCoordinator(), new MemoryNetwork()];
    const host = await aHost(authority, network);
    const { peerId } = createPeerIdentity();
    host.links.disconnect(peerId, 'bad-chunk', true);
    await host.links.dial(peerId, ['/ip4/192.0.2.1/tcp/1']);
    expect(host.links.bannedPeers).toEqual([peerId]);
    expect(host.links.dialling).toBe(0);
  });
});
