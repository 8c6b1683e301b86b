import { isIP, isIPv4 } from 'node:net';

export const PROXIES =
  'must be the number of proxies, true, false, or addresses and networks such as 10.0.0.0/8, parted by commas';

/** Names of networks that the server knows as well. */
const NETWORKS: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal']);

/** Whether the server can read it as what proxies it is behind. */
export function namesProxies(text: string): boolean {
  if (['', 'true', 'false'].includes(text) || /^\d{1,2}$/.test(text)) return true;
  return text.split(',').every((part) => namesNetwork(part.trim()));
}

function namesNetwork(text: string): boolean {
  if (NETWORKS.has(text)) return true;
  const [address = '', range, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  if (range === undefined || (family === 4 && isIPv4(range))) return true;
  const bits = /^\d{1,3}$/.test(range) ? Number(range) : 0;
  return bits > 0 && bits <= (family === 4 ? 32 : 128);
}
