import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { PROTOCOL_VERSION, type CoordinatorInfo } from '@gleaner/protocol';
import { expect, it, vi } from 'vitest';
import { EXIT } from '../exit-codes.js';
import { introduce } from './introduce.js';

it('a coordinator that lets everybody wait is not there: nobody is asked to agree to anything', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  const url = await listen(silent);
  try {
    await expect(introduce(url, 200)).rejects.toMatchObject({
      message: `${url.origin} cannot be reached (no answer within 0.2 s)`,
      exitCode: EXIT.coordinatorUnreachable,
    });
  } finally {
    silent.close();
  }
});

it('a coordinator gives the terminal no orders', async () => {
  const info: CoordinatorInfo = {
    name: 'Free\u001b[2J money',
    operator: { name: 'op', contact: '' },
    protocol: PROTOCOL_VERSION,
    publicKey: '',
    sourceUrl: '',
  };
  const server = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(info));
  });
  const url = await listen(server);
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    await introduce(url);
    expect(write.mock.calls.join('')).toContain(`Free\\x1b[2J money at ${url.origin} is run by op.`);
  } finally {
    write.mockRestore();
    server.close();
  }
});

async function listen(server: Server): Promise<URL> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return new URL(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
}
