import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announceIntervalMs, choosePeers, regionPrefix, type PeerPlace } from './choose-peers.js';

function place(peerId: string, network: string): PeerPlace {
  return { peerId, network, region: regionPrefix(network) };
}
const crowd = (count: number, network: string) =>
  Array.from({ length: count }, (_, at) => place(`${network} ${at}`, network));

describe('the peers that a peer learns of', () => {
  const self = place('self', '10.1.1.0/24');

  it('are those of its network first, then of its provider, with some from elsewhere', () => {
    const [near, regional, far] = [
      crowd(12, '10.1.1.0/24'),
      crowd(12, '10.1.2.0/24'),
      crowd(50, '192.0.2.0/24'),
    ];
    const chosen = choosePeers(self, [...far, ...regional, ...near], () => 0.5);
    const from = (network: string) => chosen.filter((peer) => peer.network === network).length;
    expect(chosen).toHaveLength(30);
    expect(chosen.slice(0, 12).every(({ network }) => network === self.network)).toBe(true);
    expect([from('10.1.2.0/24'), from('192.0.2.0/24')]).toEqual([8, 10]);
  });

  it('are never itself, never the same twice, and never fewer than there are', () => {
    const places = fc
      .tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom('10.1.1.0/24', '10.1.9.0/24', '192.0.2.0/24'))
      .map(([at, network]) => place(at === 0 ? 'self' : `peer ${at}`, network));
    fc.assert(
      fc.property(fc.array(places), fc.infiniteStream(fc.double({ min: 0, max: 0.999 })), (peers, stream) => {
        const draw = () => Number(stream.next().value ?? 0);
        const ids = choosePeers(self, peers, draw).map(({ peerId }) => peerId);
        const others = new Set(peers.map(({ peerId }) => peerId).filter((id) => id !== 'self'));
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).not.toContain('self');
        expect(ids).toHaveLength(Math.min(30, others.size));
      }),
    );
  });

  it('knows providers of both kinds of addresses', () => {
    expect(regionPrefix('192.0.2.0/24')).toBe('192.0.0.0/16');
    expect(regionPrefix('2001:db8:1::/48')).toBe('2001:db8::/32');
    expect(regionPrefix(null)).toBeNull();
  });
});

describe('announces', () => {
  const swarm = { peers: 8, isComplete: false, isQuiet: false };

  it('are frequent while chunks arrive, rare for seeds and in large swarms', () => {
    expect(announceIntervalMs(swarm)).toBe(1_000);
    expect(announceIntervalMs({ ...swarm, isQuiet: true })).toBe(5_000);
    expect(announceIntervalMs({ ...swarm, isComplete: true })).toBe(15_000);
    expect(announceIntervalMs({ ...swarm, peers: 1_000 })).toBe(50_000);
    expect(announceIntervalMs({ ...swarm, peers: 1_000_000 })).toBe(300_000);
  });
});
