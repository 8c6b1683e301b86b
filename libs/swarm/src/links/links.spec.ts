import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { afterEach, describe, expect, it } from 'vitest';
import { authenticateLink } from '../auth/handshake.js';
import { createPeerIdentity } from '../auth/peer-identity.js';
import { TestCoordinator } from '../auth/trust.fixture.js';
import { encodeFrame, FrameDecoder, type Frame } from '../frames/index.js';
import { wholeBlocks } from '../frames/whole-blocks.fixture.js';
import { duplexLink, memoryLinkPair } from './duplex-link.js';
import { createLibp2pTransport } from './libp2p/index.js';
import type { Link } from './link.js';
import { LinkReader } from './link-reader.js';

const cleanUps: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function tcpPair(): Promise<[Link, Link]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
  const accepted = await new Promise<import('node:net').Socket>((resolve) =>
    server.once('connection', resolve),
  );
  cleanUps.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => client.destroy(),
    () => accepted.destroy(),
  );
  return [duplexLink(client, 'tcp'), duplexLink(accepted, 'tcp')];
}

async function webSocketPair(): Promise<[Link, Link]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = new WebSocket(`ws://127.0.0.1:${address.port}`);
  const accepted = await new Promise<WebSocket>((resolve) => server.once('connection', resolve));
  await once(client, 'open');
  cleanUps.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => client.terminate(),
    () => accepted.terminate(),
  );
  return [duplexLink(createWebSocketStream(client), 'ws'), duplexLink(createWebSocketStream(accepted), 'ws')];
}

function libp2pPair(listen: string) {
  return async (): Promise<[Link, Link]> => {
    let accept: (link: Link) => void = () => undefined;
    const accepted = new Promise<Link>((resolve) => {
      accept = resolve;
    });
    const events = { onDiscovered: () => undefined };
    const listener = await createLibp2pTransport({
      ...events,
      identity: createPeerIdentity(),
      listen: [listen],
      onLink: accept,
    });
    const dialer = await createLibp2pTransport({
      ...events,
      identity: createPeerIdentity(),
      listen: [],
      onLink: () => undefined,
    });
    cleanUps.push(
      () => listener.close(),
      () => dialer.close(),
    );
    const link = await dialer.dial(listener.addresses[0] ?? '', AbortSignal.timeout(100_000));
    return [link, await accepted];
  };
}

async function readAll(link: Link): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of link.incoming) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function sendAll(link: Link, bytes: Uint8Array, pieceBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (!link.send(bytes.subarray(at, at + pieceBytes))) await link.drained();
  }
}

const FILLING = 7;

/** Sends until the link asks to wait; says how many bytes that were. */
async function fill(link: Link): Promise<number> {
  const piece = new Uint8Array(65_536).fill(FILLING);
  for (let sent = piece.length; sent < 64 * 1024 * 1024; sent += piece.length) {
    if (!link.send(piece)) return sent;
    await new Promise(setImmediate);
  }
  throw new Error('nobody reads, and the link takes 64 MiB all the same');
}

describe.each([
  ['in memory', async () => memoryLinkPair()],
  ['over TCP', tcpPair],
  ['over a WebSocket', webSocketPair],
  ['over libp2p TCP', libp2pPair('/ip4/127.0.0.1/tcp/0')],
  ['over libp2p WebSockets', libp2pPair('/ip4/127.0.0.1/tcp/0/ws')],
])('a link %s', (_, makePair) => {
  it('carries bytes whole and in order both ways at once, at the reader’s pace', async () => {
    const [a, b] = await makePair();
    const [fromA, fromB] = [randomBytes(5_000_000), randomBytes(3_000_000)];
    const [atA, atB] = await Promise.all([
      new LinkReader(a).read(fromB.length),
      new LinkReader(b).read(fromA.length),
      sendAll(a, fromA, 60_001),
      sendAll(b, fromB, 1_000),
    ]);
    expect(digest(atB)).toBe(digest(fromA));
    expect(digest(atA)).toBe(digest(fromB));
    a.abort(new Error('done'));
  });

  it('asks the sender to wait when the reader does not read', async () => {
    const [a] = await makePair();
    await fill(a);
    a.abort(new Error('done'));
    await expect(a.drained()).rejects.toThrow();
  });

  it('lets the sender go on when the reader reads, and loses nothing', async () => {
    const [a, b] = await makePair();
    const filledBytes = await fill(a);
    const reader = new LinkReader(b);
    const [, first] = await Promise.all([a.drained(), reader.read(filledBytes)]);
    expect(first.every((byte) => byte === FILLING)).toBe(true);
    const more = randomBytes(200_000);
    const [, second] = await Promise.all([sendAll(a, more, 60_001), reader.read(more.length)]);
    expect(digest(second)).toBe(digest(more));
    a.abort(new Error('done'));
  });

  it('does not leave the sender waiting when the other side breaks it', async () => {
    const [a, b] = await makePair();
    let isWaiting = false;
    const sending = (async () => {
      for (const piece = new Uint8Array(65_536); ; await new Promise(setImmediate)) {
        if (a.send(piece)) continue;
        isWaiting = true;
        await a.drained();
      }
    })();
    const ended = expect(sending).rejects.toThrow();
    await expect.poll(() => isWaiting).toBe(true);
    b.abort(new Error('gone'));
    await ended;
  });

  it('is no other one: what several carry at once stays apart', async () => {
    const pairs = await Promise.all(Array.from({ length: 4 }, () => makePair()));
    const contents = pairs.map(() => randomBytes(300_000));
    const received = await Promise.all(
      pairs.map(async ([a, b], index) => {
        const content = contents[index] ?? Buffer.alloc(0);
        const [bytes] = await Promise.all([
          new LinkReader(b).read(content.length),
          sendAll(a, content, 10_007),
        ]);
        return bytes;
      }),
    );
    expect(received.map(digest)).toEqual(contents.map(digest));
    for (const [a] of pairs) a.abort(new Error('done'));
  });

  it('delivers what was sent before it is closed, and then ends', async () => {
    const [a, b] = await makePair();
    a.send(Buffer.from('last words'));
    const [received] = await Promise.all([readAll(b), a.close(), a.close()]);
    expect(received.toString()).toBe('last words');
    expect(() => a.send(Buffer.from('more'))).toThrow();
    await Promise.all([b.close(), readAll(a)]);
  });

  it('breaks on both sides when it is aborted', async () => {
    const [a, b] = await makePair();
    a.send(Buffer.from('x'));
    const reading = readAll(b);
    a.abort(new Error('enough'));
    a.abort(new Error('enough'));
    await reading.catch((error: unknown) => expect(error).toBeInstanceOf(Error));
    expect(() => a.send(Buffer.from('y'))).toThrow();
  });

  it('authenticates and then carries frames', async () => {
    const [a, b] = await makePair();
    const coordinator = new TestCoordinator();
    const { trust } = coordinator;
    const known = a.remotePeerId === undefined;
    const [dialer, listener] = [coordinator.enrol(), coordinator.enrol()];
    const both = await Promise.allSettled([
      authenticateLink(a, 'dialer', { ...dialer, trust }),
      authenticateLink(b, 'listener', { ...listener, trust }),
    ]);
    // libp2p has proven other keys here: then the certificates must not count.
    expect(both.map(({ status }) => status)).toEqual(
      known ? ['fulfilled', 'fulfilled'] : ['rejected', 'rejected'],
    );
    if (both[1].status === 'rejected') return;
    const frame: Frame = {
      type: 'block',
      channel: 0,
      chunk: 3,
      offset: 0,
      bytes: new Uint8Array(65_536).fill(9),
    };
    a.send(encodeFrame(frame));
    const closing = a.close();
    const decoder = new FrameDecoder();
    const frames: Frame[] = [];
    for await (const piece of both[1].value.reader) frames.push(...decoder.push(piece));
    await closing;
    expect(wholeBlocks(frames)).toEqual([frame]);
  });
});

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
