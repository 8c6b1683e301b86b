import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventStream, streamEvent } from './event-stream.js';

const EVENT_BYTES = 256 * 1024;
/** Far more than both ends' kernels take for a reader that never reads. */
const EVENTS_MAX = 400;

describe('a stream of events', () => {
  let server: FastifyInstance;
  let opened: EventStream[];
  let sockets: Socket[];
  beforeEach(async () => {
    [opened, sockets] = [[], []];
    server = fastify();
    server.get('/', (_request, reply) => void opened.push(EventStream.open(reply, 3000)));
    await server.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  async function follow(): Promise<{ socket: Socket; stream: EventStream }> {
    const { port } = server.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    const count = opened.length;
    socket.write('GET / HTTP/1.1\r\nHost: local\r\n\r\n');
    await expect.poll(() => opened.length).toBe(count + 1);
    // It has just been counted.
    return { socket, stream: opened[count]! };
  }

  it('is described to who asks for its headers alone, and costs nothing after', async () => {
    const response = await fetch(`http://127.0.0.1:${(server.server.address() as AddressInfo).port}/`, {
      method: 'HEAD',
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    let isClosed = false;
    opened[0]?.onceClosed(() => (isClosed = true));
    await expect.poll(() => isClosed).toBe(true);
  });

  it('is cut off for who never reads, and goes on for who does', async () => {
    const [reader, sleeper] = [await follow(), await follow()];
    sleeper.socket.pause();
    let isCutOff = false;
    sleeper.stream.onceClosed(() => (isCutOff = true));
    let received = 0;
    reader.socket.on('data', (data: Buffer) => (received += data.length));
    let sent = 0;
    for (; sent < EVENTS_MAX && !isCutOff; sent += 1) {
      const { text } = streamEvent(String(sent), 'job', 'x'.repeat(EVENT_BYTES));
      reader.stream.write(text);
      sleeper.stream.write(text);
      while (received < (sent + 1) * EVENT_BYTES) await once(reader.socket, 'data');
    }
    expect(isCutOff).toBe(true);
    expect(sent).toBeLessThan(EVENTS_MAX);
    expect(reader.socket.destroyed).toBe(false);
  });

  it('gives one event of any size the chance to arrive', async () => {
    const { socket, stream } = await follow();
    let text = '';
    socket.setEncoding('utf8').on('data', (data: string) => (text += data));
    const data = 'x'.repeat(8 * 1024 * 1024);
    stream.write(streamEvent('1', 'job', data).text);
    stream.end();
    while (!text.endsWith('\r\n0\r\n\r\n')) await once(socket, 'data');
    expect(text.length).toBeGreaterThan(data.length);
  });

  it('tells at once who asks too late that it is closed, and takes nothing more', async () => {
    const { socket, stream } = await follow();
    const closed = new Promise<void>((resolve) => stream.onceClosed(resolve));
    socket.destroy();
    await closed;
    await new Promise<void>((resolve) => stream.onceClosed(resolve));
    expect(() => {
      stream.write(': nobody hears this\n\n');
      stream.end();
    }).not.toThrow();
  });
});
