import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { allowedAddresses, type Interfaces } from './allowed-addresses.js';

const v4 = (address: string, internal = false): NetworkInterfaceInfo => ({
  address,
  family: 'IPv4',
  internal,
  netmask: '255.255.255.0',
  mac: '00:00:00:00:00:00',
  cidr: `${address}/24`,
});
const v6 = (address: string): NetworkInterfaceInfo => ({
  address,
  family: 'IPv6',
  internal: false,
  netmask: 'ffff:ffff:ffff:ffff::',
  mac: '00:00:00:00:00:00',
  cidr: `${address}/64`,
  scopeid: 0,
});
const INTERFACES: Interfaces = {
  lo: [v4('127.0.0.1', true)],
  eth0: [v4('192.0.2.7'), v6('2001:db8::7'), v6('fe80::7')],
  wlan0: [v6('2001:db8:1::7'), v4('198.51.100.7')],
  docker0: [v4('172.17.0.1')],
  wg0: [v4('10.8.0.2')],
  down0: [v6('fe80::1')],
};

describe('the addresses of a volunteer', () => {
  it('are those of all real networks where none is named', () => {
    expect(allowedAddresses(null, 4001, false, INTERFACES)).toEqual({
      listen: [
        '/ip4/192.0.2.7/tcp/4001',
        '/ip6/2001:db8::7/tcp/4001',
        '/ip6/2001:db8:1::7/tcp/4001',
        '/ip4/198.51.100.7/tcp/4001',
      ],
      dialFrom: undefined,
    });
  });

  it('are also on the loopback where the coordinator is on this machine', () => {
    expect(allowedAddresses(null, 0, true, INTERFACES).listen).toContain('/ip4/127.0.0.1/tcp/0');
  });

  it('are those of the named interfaces alone, and links start from one of them', () => {
    expect(allowedAddresses(['wlan0'], 0, true, INTERFACES)).toEqual({
      listen: ['/ip6/2001:db8:1::7/tcp/0', '/ip4/198.51.100.7/tcp/0'],
      dialFrom: '198.51.100.7',
    });
    expect(allowedAddresses(['wg0'], 0, false, INTERFACES).dialFrom).toBe('10.8.0.2');
  });

  it.each([[['gone0']], [['down0']], [['gone0', 'down0']]])(
    'are none, and no link starts, where %j has no address',
    (names) => {
      expect(() => allowedAddresses(names, 0, true, INTERFACES)).toThrow(
        /none of the network interfaces that you allow \(.+\) has an address; this machine has lo, eth0/,
      );
    },
  );
});
