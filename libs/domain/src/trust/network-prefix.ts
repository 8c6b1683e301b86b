/**
 * The network that an address is judged by: `a.b.c.0/24` of IPv4 (also written as IPv4-mapped IPv6), `a:b:c::/48` of IPv6.
 * Null for text that is no address, so that unknown networks are one network.
 *
 * @param address as a socket gives it, undefined once it is closed; a zone (`%eth0`) is ignored
 */
export function networkPrefix(address: string | undefined): string | null {
  if (address === undefined) return null;
  const bare = address.split('%', 1)[0] ?? '';
  if (!bare.includes(':')) {
    const octets = parseIpv4(bare);
    return octets ? ipv4Prefix(octets) : null;
  }
  const groups = parseIpv6(bare);
  if (!groups) return null;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const isMapped = (a | b | c | d | e) === 0 && f === 0xffff;
  if (isMapped) return ipv4Prefix([g >> 8, g & 0xff, h >> 8, h & 0xff]);
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}::/48`;
}

function ipv4Prefix(octets: readonly number[]): string {
  return `${octets[0]}.${octets[1]}.${octets[2]}.0/24`;
}

function parseIpv4(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const octets = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : NaN));
  return octets.every((octet) => octet <= 255) ? octets : null;
}

/** Eight groups of 16 bits (RFC 4291 §2.2), or null. */
function parseIpv6(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (!head || !tail) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [at, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const octets = at === parts.length - 1 ? parseIpv4(part) : null;
    if (!octets) return null;
    const [a = 0, b = 0, c = 0, d = 0] = octets;
    groups.push((a << 8) | b, (c << 8) | d);
  }
  return groups;
}
