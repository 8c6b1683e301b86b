import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseDisplay } from './displays.js';
import { X11IdleConnection } from './x11-idle-connection.js';
import { findCookie } from './xauthority.js';

const ROOT = 0x2a5;
const OPCODE = 144;

/** Answers as an X server does, in as small pieces as the network may make. */
class XServer {
  readonly seen: Buffer[] = [];
  idleMs = 0;
  refuses = false;
  /** Answers only when it is told to speak. */
  isSilent = false;
  hasScreenSaver = true;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => {
      let isSetUp = false;
      socket.on('data', (bytes) => {
        this.seen.push(bytes);
        const answer = isSetUp ? this.#reply(bytes) : this.#setup();
        isSetUp = true;
        this.#asked.resolve();
        if (this.isSilent) this.#held.push(() => sendInPieces(socket, answer));
        else sendInPieces(socket, answer);
      });
      socket.on('error', () => undefined);
      this.sockets.push(socket);
    });
  }

  readonly sockets: Socket[] = [];
  readonly #asked = Promise.withResolvers<void>();
  readonly #held: Array<() => void> = [];

  /** Resolves when it was asked something. */
  asked(): Promise<void> {
    return this.#asked.promise;
  }

  speak(): void {
    this.isSilent = false;
    for (const send of this.#held.splice(0)) send();
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }

  #setup(): Buffer {
    const vendor = Buffer.from('The X.Org Foundation');
    const bytes = Buffer.alloc(40 + vendor.length + 8 + 40);
    bytes.writeUInt8(this.refuses ? 0 : 1, 0);
    bytes.writeUInt16LE((bytes.length - 8) / 4, 6);
    bytes.writeUInt16LE(vendor.length, 24);
    bytes.writeUInt8(1, 28);
    bytes.writeUInt8(1, 29);
    vendor.copy(bytes, 40);
    bytes.writeUInt32LE(ROOT, 40 + vendor.length + 8);
    return bytes;
  }

  #reply(request: Buffer): Buffer {
    const reply = Buffer.alloc(32);
    reply.writeUInt8(1, 0);
    if (request.readUInt8(0) === 98) {
      reply.writeUInt8(this.hasScreenSaver ? 1 : 0, 8);
      reply.writeUInt8(OPCODE, 9);
      // An event that nobody asked for comes first.
      const event = Buffer.alloc(32);
      event.writeUInt8(34, 0);
      return Buffer.concat([event, reply]);
    }
    reply.writeUInt32LE(this.idleMs, 16);
    return reply;
  }
}

function sendInPieces(socket: Socket, bytes: Buffer): void {
  for (const byte of bytes) socket.write(Buffer.of(byte));
}

/** Connections that keep this process alive. */
function connectionsHolding(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

let server: XServer;
let port: number;
beforeEach(async () => {
  server = new XServer();
  port = await server.listen();
});
afterEach(() => {
  server.close();
});

const open = async (): Promise<X11IdleConnection> =>
  X11IdleConnection.open(
    { host: '127.0.0.1', port },
    { name: 'MIT-MAGIC-COOKIE-1', data: Buffer.alloc(16, 7) },
    AbortSignal.timeout(60_000),
  );

describe('a connection to an X server', () => {
  it('asks for the time since the last input, again and again', async () => {
    const connection = await open();
    server.idleMs = 1234;
    expect(await connection.idleMs()).toBe(1234);
    server.idleMs = 4_000_000_000;
    expect(await connection.idleMs()).toBe(4_000_000_000);
    connection.close();
    const [setup, extension, info] = server.seen;
    expect(setup?.toString('latin1')).toContain('MIT-MAGIC-COOKIE-1');
    expect(setup?.length).toBe(12 + 20 + 16);
    expect(extension?.toString('latin1')).toContain('MIT-SCREEN-SAVER');
    expect(info).toEqual(Buffer.from([OPCODE, 1, 2, 0, 0xa5, 2, 0, 0]));
  });

  it('keeps the program alive while an answer is waited for, and no longer', async () => {
    server.isSilent = true;
    const opening = open();
    await server.asked();
    // Its end of the connection, and the server's.
    expect(connectionsHolding()).toBe(2);
    server.speak();
    const connection = await opening;
    expect(connectionsHolding()).toBe(1);
    connection.close();
  });

  it('fails when the server refuses it', async () => {
    server.refuses = true;
    await expect(open()).rejects.toThrow('refused');
  });

  it('fails when the server cannot tell', async () => {
    server.hasScreenSaver = false;
    await expect(open()).rejects.toThrow('MIT-SCREEN-SAVER');
  });

  it('fails when the server ends', async () => {
    const connection = await open();
    for (const socket of server.sockets) socket.destroy();
    await expect(connection.idleMs()).rejects.toThrow();
  });
});

describe('an Xauthority file', () => {
  const counted = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'latin1');
    return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
  };
  const entry = (number: string, name: string, data: string): Buffer =>
    Buffer.concat([Buffer.of(1, 0), ...['host', number, name, data].map(counted)]);

  it('has the cookie of a display', () => {
    const file = Buffer.concat([
      entry('0', 'XDM-AUTHORIZATION-1', 'x'),
      entry('1', 'MIT-MAGIC-COOKIE-1', 'other'),
      entry('0', 'MIT-MAGIC-COOKIE-1', 'mine'),
    ]);
    expect(findCookie(file, 0)?.data.toString()).toBe('mine');
    expect(findCookie(file, 1)?.data.toString()).toBe('other');
    expect(findCookie(file, 2)).toBeUndefined();
  });

  it('may be damaged anywhere', () => {
    const file = entry('0', 'MIT-MAGIC-COOKIE-1', 'mine');
    for (let length = 0; length < file.length; length++) {
      expect(findCookie(file.subarray(0, length), 0)).toBeUndefined();
    }
  });
});

describe('DISPLAY', () => {
  it.each([
    [':0', { number: 0, address: { path: '/tmp/.X11-unix/X0' } }],
    [':99.0', { number: 99, address: { path: '/tmp/.X11-unix/X99' } }],
    ['unix:1', { number: 1, address: { path: '/tmp/.X11-unix/X1' } }],
    ['localhost:10.0', { number: 10, address: { host: 'localhost', port: 6010 } }],
    ['wayland-0', undefined],
  ])('%s', (text, display) => {
    expect(parseDisplay(text)).toEqual(display);
  });
});
