import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstConnection, isShared } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, freePort, type TestDatabase } from '../support/index.js';

let database: TestDatabase;
let directory: string;
const closing: Array<() => unknown> = [];
beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  directory = await mkdtemp(join(tmpdir(), 'gleaner-connection-'));
});
afterAll(async () => {
  for (const close of closing) close();
  await rm(directory, { recursive: true, force: true });
  await database.drop();
});

/** The address of a server that does this with whoever connects. */
async function aServer(meet: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    meet(socket);
  });
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return new URL(`postgres://ada:secret@127.0.0.1:${port}/gleaner`);
}

const ours = (change: (url: URL) => void): URL => {
  const url = new URL(database.url);
  change(url);
  return url;
};

it.each<[string, () => URL | Promise<URL>, RegExp]>([
  ['says nothing', () => aServer(() => undefined), /^it has not answered for 1 s$/],
  [
    'speaks another language',
    () => aServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
    /^it ended the connection without a word: something else than Postgres/,
  ],
  [
    'is to be given a password',
    () => ours((url) => (url.password = '')),
    /asks for a password, and none is given/,
  ],
  [
    'has no TLS',
    () => ours((url) => url.searchParams.set('sslmode', 'verify-full')),
    /does not support SSL connections/,
  ],
  ['has no such socket', () => new URL('postgres://ada@%2Fnowhere/gleaner'), /ENOENT.*\/nowhere/],
  [
    'is vouched for by a file that is not there',
    () => ours((url) => url.searchParams.set('sslrootcert', join(directory, 'nobody.crt'))),
    /ENOENT.*nobody\.crt/,
  ],
])('a server that %s is told as what the operator has to look at', async (_, address, reason) => {
  const connecting = firstConnection((await address()).href, 'first-connection-test', 1);
  await expect(connecting).rejects.toMatchObject({
    name: 'DatabaseUnsuitedError',
    message: expect.stringMatching(reason) as unknown,
  });
});

it('connections that a pooler gives one session are told from those that have their own', async () => {
  const clients = [
    await firstConnection(database.url, 'one'),
    await firstConnection(database.url, 'other'),
  ] as const;
  try {
    expect(await isShared(clients[0], clients[0])).toBe(true);
    expect(await isShared(...clients)).toBe(false);
  } finally {
    for (const client of clients) await client.end();
  }
});
