import { describe, expect, it } from 'vitest';
import { dialOrder, ownNetworks } from './dial-order.js';

const here = ownNetworks({
  lo: [
    {
      address: '127.0.0.1',
      netmask: '255.0.0.0',
      family: 'IPv4',
      mac: '',
      internal: true,
      cidr: '127.0.0.1/8',
    },
  ],
  eth0: [
    {
      address: '192.168.1.20',
      netmask: '255.255.255.0',
      family: 'IPv4',
      mac: '',
      internal: false,
      cidr: '192.168.1.20/24',
    },
    {
      address: '2001:db8:1::20',
      netmask: 'ffff:ffff:ffff:ffff::',
      family: 'IPv6',
      mac: '',
      internal: false,
      cidr: '2001:db8:1::20/64',
      scopeid: 0,
    },
  ],
});

describe('dialOrder', () => {
  it('tries neighbours first, then the internet, then networks that are probably elsewhere, then this machine', () => {
    const addresses = [
      '/ip4/127.0.0.1/tcp/1',
      '/ip4/172.17.0.2/tcp/1',
      '/ip4/198.51.100.7/tcp/1',
      '/ip6/fd00::1/tcp/1',
      '/ip6/2001:db8:1::9/tcp/1',
      '/ip4/192.168.1.9/tcp/1/ws',
    ];
    expect(dialOrder(addresses, here)).toEqual([
      '/ip6/2001:db8:1::9/tcp/1',
      '/ip4/192.168.1.9/tcp/1/ws',
      '/ip4/198.51.100.7/tcp/1',
      '/ip4/172.17.0.2/tcp/1',
      '/ip6/fd00::1/tcp/1',
      '/ip4/127.0.0.1/tcp/1',
    ]);
  });
});
