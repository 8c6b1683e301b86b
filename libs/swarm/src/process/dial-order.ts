import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Networks that this host is part of, loopback left out: whoever says to be there can be met without a router. */
export function ownNetworks(interfaces = networkInterfaces()): BlockList {
  const networks = new BlockList();
  for (const addresses of Object.values(interfaces)) {
    for (const { address, cidr, family, internal } of addresses ?? []) {
      const bits = Number(cidr?.split('/')[1]);
      if (!internal && bits > 0) networks.addSubnet(address, bits, family === 'IPv6' ? 'ipv6' : 'ipv4');
    }
  }
  return networks;
}

/** Private and link-local networks (RFC 1918, RFC 4193, RFC 3927, RFC 4291, RFC 6598). */
const privateNetworks = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const)
  privateNetworks.addSubnet(network, bits);
privateNetworks.addSubnet('fc00::', 7, 'ipv6');
privateNetworks.addSubnet('fe80::', 10, 'ipv6');
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');
// Whoever connects to no address in particular reaches this machine, too.
loopback.addAddress('::', 'ipv6');

/** Whether the address is this very machine's, whoever says so. */
export function isLoopback(address: string): boolean {
  const ip = address.split('/')[2] ?? '';
  return isIP(ip) !== 0 && loopback.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * The order in which a peer's addresses are tried: this host's own networks, the internet, then networks elsewhere that happen to
 * have the same numbers, then this very machine.
 */
export function dialOrder(addresses: readonly string[], networks: BlockList): string[] {
  const rank = (address: string): number => {
    const ip = address.split('/')[2] ?? '';
    const version = isIP(ip);
    if (version === 0) return 1;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    if (loopback.check(ip, family)) return 3;
    if (networks.check(ip, family)) return 0;
    return privateNetworks.check(ip, family) ? 2 : 1;
  };
  return addresses.toSorted((a, b) => rank(a) - rank(b));
}
