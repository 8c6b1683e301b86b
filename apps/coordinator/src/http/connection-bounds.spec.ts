import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { allowSilenceOnceRead, boundConnections, requireBodyWithin } from './connection-bounds.js';

/** Longer than a busy machine keeps this process from reading what has come. */
const SILENCE_MS = 1_000;

let server: Server;
let answer: (request: IncomingMessage) => Promise<void>;
const clients: Socket[] = [];
beforeEach(async () => {
  answer = async (request) => void (await once(request.resume(), 'end'));
  server = createServer((request, response) => {
    answer(request).then(
      () => response.end('done'),
      () => response.destroy(),
    );
  });
  boundConnections(server, { silenceMs: SILENCE_MS, maxConnections: 2 });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  server.close();
});

async function aClient(): Promise<Socket> {
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  clients.push(client);
  await once(client, 'connect');
  return client;
}

/** However it ends: what is sent when the server has closed its side is answered with a reset, which is an error. */
const ended = (client: Socket): Promise<unknown> =>
  new Promise((resolve) => client.resume().once('close', resolve));
const HEADERS = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n';

it('a connection whose request is never completed ends', async () => {
  const client = await aClient();
  client.write(HEADERS);
  await ended(client);
});

it('a body that comes byte by byte ends when its time is over', async () => {
  answer = async (request) => {
    requireBodyWithin(request, SILENCE_MS / 4);
    await once(request.resume(), 'end');
  };
  const client = await aClient();
  client.write(HEADERS);
  const drip = setInterval(() => client.write('x'), SILENCE_MS / 20);
  await ended(client);
  clearInterval(drip);
});

it('silence is allowed while we work on what was read', async () => {
  answer = (request) =>
    allowSilenceOnceRead(request, async () => {
      await once(request.resume(), 'end');
      await new Promise((resolve) => setTimeout(resolve, 2 * SILENCE_MS));
    });
  const client = await aClient();
  client.write(`${HEADERS}${'x'.repeat(1000)}`);
  const [head] = (await once(client, 'data')) as [Buffer];
  expect(head.toString()).toMatch(/^HTTP\/1.1 200/);
});

it('connections beyond the bound are closed', async () => {
  await aClient();
  await aClient();
  await ended(await aClient());
});
