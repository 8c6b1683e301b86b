import { createServer } from 'node:net';

/** Ports that are looked at, from the volunteer's own on. */
const MOST_PORTS = 16;
const PORTS = 65_536;

/**
 * The port to listen on: the volunteer's, or the next one that is free where somebody listens on it already at one of the addresses,
 * such as the process of another project; the volunteer's where none of them is. 0 stays 0: any.
 *
 * @param hosts addresses of this machine
 */
export async function freePortFrom(port: number, hosts: readonly string[]): Promise<number> {
  if (port === 0) return port;
  for (let next = port; next < Math.min(port + MOST_PORTS, PORTS); next += 1) {
    const areFree = await Promise.all(hosts.map((host) => isFree(next, host)));
    if (!areFree.includes(false)) return next;
  }
  return port;
}

/** Anything but that it is taken is told by whoever listens. */
async function isFree(port: number, host: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
  server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
