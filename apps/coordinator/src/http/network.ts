import { isIP } from 'node:net';

/** The /24 (IPv4) or /48 (IPv6) of an address, in one canonical text; null for what is no address. */
export function networkOf(address: string): string | null {
  const plain = address.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  const ip = mapped ?? plain;
  switch (isIP(ip)) {
    case 4:
      return `${ip.split('.').slice(0, 3).join('.')}.0/24`;
    case 6:
      return `${expandIPv6(ip).slice(0, 3).join(':')}::/48`;
    default:
      return null;
  }
}

function expandIPv6(ip: string): string[] {
  const [head = '', tail] = ip.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
}
