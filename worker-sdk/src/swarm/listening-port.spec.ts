import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freePortFrom } from './listening-port.js';

const LOOPBACK = '127.0.0.1';
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(port = 0): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, LOOPBACK, resolve));
  // `as`: it listens at a port.
  return (server.address() as AddressInfo).port;
}

describe('the port of a volunteer', () => {
  it('is the next free one where somebody has it already', async () => {
    const port = await listening();
    expect(await freePortFrom(port, [LOOPBACK])).toBeGreaterThan(port);
    expect(await freePortFrom(port, [])).toBe(port);
  });

  it('stays as it is where it is free, and where any will do', async () => {
    const port = await listening();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await freePortFrom(port, [LOOPBACK])).toBe(port);
    expect(await freePortFrom(0, [LOOPBACK])).toBe(0);
  });

  it('is left to whoever listens where the address is none of this machine’s', async () => {
    expect(await freePortFrom(4001, ['192.0.2.1'])).toBe(4001);
  });
});
