import { describe, expect, it } from 'vitest';
import { createPeerRecord, encodePeerRecord } from '../auth/index.js';
import { TestCoordinator } from '../auth/trust.fixture.js';
import { PeerDirectory } from './peer-directory.js';

const OWN = 'own';

function aDirectory() {
  const coordinator = new TestCoordinator();
  const suggested = new Map<string, readonly string[]>();
  const directory = new PeerDirectory(coordinator.trust, OWN, (peerId, addresses) => {
    suggested.set(peerId, addresses);
  });
  const aRecord = (address: string) => {
    const { identity, certificate } = coordinator.enrol();
    return {
      peerId: identity.peerId,
      bytes: encodePeerRecord(createPeerRecord(identity, certificate, [address], 1)),
    };
  };
  return { directory, suggested, aRecord };
}

describe('what the local network announces', () => {
  it('is tried after what a peer has signed, and does not take its place', () => {
    const { directory, suggested, aRecord } = aDirectory();
    const { peerId, bytes } = aRecord('/ip4/192.0.2.1/tcp/1');
    directory.learn(bytes);
    directory.learnAddresses(
      peerId,
      Array.from({ length: 20 }, (_, n) => `/ip4/198.51.100.${n + 1}/tcp/1`),
    );
    expect(suggested.get(peerId)).toEqual([
      '/ip4/192.0.2.1/tcp/1',
      '/ip4/198.51.100.1/tcp/1',
      '/ip4/198.51.100.2/tcp/1',
    ]);
    suggested.clear();
    directory.suggestAll(() => 0);
    expect(suggested.get(peerId)).toEqual(['/ip4/192.0.2.1/tcp/1']);
    expect(directory.recordOf(peerId)).toEqual(bytes);
  });

  it('never makes it forget a peer that has a record, however many names are made up', () => {
    const { directory, suggested, aRecord } = aDirectory();
    const { peerId, bytes } = aRecord('/ip4/192.0.2.1/tcp/1');
    directory.learn(bytes);
    for (let n = 0; n < 2_000; n += 1) directory.learnAddresses(`stranger-${n}`, ['/ip4/198.51.100.1/tcp/1']);
    expect(directory.recordOf(peerId)).toEqual(bytes);
    suggested.clear();
    directory.suggestAll(() => 0);
    expect(suggested.size).toBe(65);
    expect(suggested.has('stranger-1999')).toBe(true);
  });

  it('is an address in figures, not a name or a socket of this machine', () => {
    const { directory, suggested } = aDirectory();
    const tricks = [
      '/dns4/example.org/tcp/1',
      '/dnsaddr/example.org',
      '/unix/%2Frun%2Fdocker.sock',
      '/ip4/224.0.0.251/tcp/1',
    ];
    directory.learnAddresses('trickster', tricks);
    expect(suggested.size).toBe(0);
    directory.learnAddresses('neighbour', [...tricks, '/ip4/192.0.2.1/tcp/1/p2p/neighbour']);
    expect(suggested.get('neighbour')).toEqual(['/ip4/192.0.2.1/tcp/1/p2p/neighbour']);
  });

  it('is nothing about the host itself', () => {
    const { directory, suggested } = aDirectory();
    directory.learnAddresses(OWN, ['/ip4/198.51.100.1/tcp/1']);
    expect(suggested.size).toBe(0);
  });
});
