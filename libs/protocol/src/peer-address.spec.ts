import { describe, expect, it } from 'vitest';
import { peerAddress } from './peer-address.js';

describe('the address of a peer', () => {
  it.each([
    '/ip4/192.0.2.1/tcp/4001',
    '/ip4/127.0.0.1/tcp/1',
    '/ip4/10.0.0.7/tcp/65535/ws',
    '/ip6/2001:db8::7/tcp/4001',
    '/ip6/::1/tcp/4001/ws',
    '/ip4/192.0.2.1/tcp/4001/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN',
  ])('may be %s', (address) => {
    expect(peerAddress.safeParse(address).success).toBe(true);
  });

  it.each([
    ['a name', '/dns4/victim.example/tcp/443'],
    ['no figures', '/ip4/localhost/tcp/443'],
    ['too large figures', '/ip4/192.0.2.256/tcp/1'],
    ['nobody', '/ip4/0.0.0.0/tcp/1'],
    ['many machines', '/ip4/224.0.0.251/tcp/5353'],
    ['all machines', '/ip4/255.255.255.255/tcp/1'],
    ['many machines of IPv6', '/ip6/ff02::fb/tcp/5353'],
    ['nobody in IPv6', '/ip6/::/tcp/1'],
    ['broken IPv6', '/ip6/1:2:3/tcp/1'],
    ['port 0', '/ip4/192.0.2.1/tcp/0'],
    ['a port that is none', '/ip4/192.0.2.1/tcp/65536'],
    ['another protocol', '/ip4/192.0.2.1/udp/53'],
    ['a path through another machine', '/ip4/192.0.2.1/tcp/1/p2p-circuit/ip4/192.0.2.2/tcp/2'],
    ['nothing', ''],
  ])('may not be %s', (_what, address) => {
    expect(peerAddress.safeParse(address).success).toBe(false);
  });
});
