import { afterEach, describe, expect, it } from 'vitest';
import { createPeerRecord, encodePeerRecord } from '../auth/index.js';
import { TestCoordinator } from '../auth/trust.fixture.js';
import type { Transport } from '../links/index.js';
import { Neighbours } from './neighbours.js';
import { PeerLinks } from './peer-links.js';

/** Places for attempts. */
const PLACES = 4;
const AGAIN_MS = 60_000;
const opened: Array<{ neighbours: Neighbours; links: PeerLinks }> = [];
afterEach(async () => {
  for (const { neighbours, links } of opened.splice(0)) {
    neighbours.stop();
    await links.close();
  }
});

/** A host that shares a file, on a network where each attempt lasts until the test ends it: nobody answers. */
async function aHost() {
  const authority = new TestCoordinator();
  const { identity, certificate } = authority.enrol();
  const clock = { nowMs: 0 };
  const dialled: string[] = [];
  const attempts: Array<() => void> = [];
  const dial: Transport['dial'] = (address) => {
    dialled.push(address);
    return new Promise((_, reject) => attempts.push(() => reject(new Error('nobody answers'))));
  };
  const links = new PeerLinks({
    identity,
    certificate: () => certificate,
    trust: authority.trust,
    openTransport: () => Promise.resolve({ addresses: [], dial, close: () => Promise.resolve() }),
    onConnected: () => undefined,
    onDisconnected: () => undefined,
    onFrame: () => undefined,
    onFlushed: () => undefined,
    onUnsent: () => undefined,
    readChunk: () => Promise.reject(new Error('nothing is shared')),
    onDiscovered: () => undefined,
    uselessPeer: () => undefined,
    now: () => clock.nowMs,
    log: () => undefined,
  });
  await links.open();
  const neighbours = new Neighbours({
    trust: authority.trust,
    ownPeerId: identity.peerId,
    links,
    manifestIds: () => ['a'.repeat(64)],
    sharing: () => 0,
  });
  opened.push({ neighbours, links });
  const recordAt = (address: string): Uint8Array => {
    const peer = authority.enrol();
    return encodePeerRecord(createPeerRecord(peer.identity, peer.certificate, [address], 1));
  };
  /** The attempt that lasts longest comes to nothing; says who is tried in its place. */
  const giveUp = async (): Promise<string | undefined> => {
    const before = dialled.length;
    attempts.shift()?.();
    await expect.poll(() => dialled.length, { interval: 1 }).toBe(before + 1);
    return dialled.at(-1);
  };
  return { neighbours, clock, dialled, recordAt, giveUp };
}

const GONE = Array.from({ length: 20 }, (_, n) => `/ip4/192.0.2.${n + 1}/tcp/1`);
const NAMED_NOW = '/ip4/198.51.100.1/tcp/1';

describe('whom a host dials while many do not answer', () => {
  it('is who was named last, not who has been known for longest', async () => {
    const host = await aHost();
    host.neighbours.start(GONE.map(host.recordAt));
    expect(host.dialled).toHaveLength(PLACES);
    host.neighbours.directory.learn(host.recordAt(NAMED_NOW));
    expect(await host.giveUp()).toBe(NAMED_NOW);
  });

  it('is who was not tried yet, before anybody is tried again', async () => {
    const host = await aHost();
    host.neighbours.start(GONE.map(host.recordAt));
    while (host.dialled.length < GONE.length) {
      await host.giveUp();
      // Whoever did not answer may be tried again by now.
      host.clock.nowMs += AGAIN_MS;
    }
    expect(host.dialled.toSorted()).toEqual(GONE.toSorted());
  });

  it('is who has a record, before names that anybody can make up', async () => {
    const host = await aHost();
    host.neighbours.start(GONE.map(host.recordAt));
    for (const n of Array(20).keys())
      host.neighbours.directory.learnAddresses(`made-up-${n}`, [`/ip4/203.0.113.${n + 1}/tcp/1`]);
    while (host.dialled.length < GONE.length) await host.giveUp();
    expect(host.dialled.toSorted()).toEqual(GONE.toSorted());
  });
});
