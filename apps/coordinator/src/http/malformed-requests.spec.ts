import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { problem } from '@gleaner/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  answerMalformedRequests,
  answerWhileClosing,
  MALFORMED_REQUEST_HANDLERS,
} from './malformed-requests.js';

let server: ReturnType<typeof newServer>;
const newServer = () => fastify({ ...MALFORMED_REQUEST_HANDLERS });
beforeEach(() => {
  server = newServer();
});
afterEach(() => server.close());

it('an answer that has begun is cut off rather than mixed with a second one', async () => {
  answerMalformedRequests(server, server.server);
  server.get('/events', (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200).write('begun');
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  socket.on('data', (part: string) => (text += part));
  socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await expect.poll(() => text).toContain('begun');
  socket.write('what is this?\r\n\r\n');
  await once(socket, 'close');
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

it('a request on a connection that was open when the server began to stop is told so', async () => {
  answerWhileClosing(server);
  server.get('/', () => 'served');
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  socket.on('data', (part: string) => (text += part));
  // Not idle: the half of a request is there.
  socket.write('GET / HTTP/1.1\r\n');
  await once(server.server, 'connection');
  const closing = server.close();
  await expect.poll(() => server.server.listening).toBe(false);
  socket.write('Host: x\r\n\r\n');
  await once(socket, 'close');
  await closing;
  expect(text).toMatch(/^HTTP\/1\.1 503 /);
  expect(text).toMatch(/^content-type: application\/problem\+json/m);
  expect(problem.parse(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))))).toMatchObject({
    code: 'unavailable',
  });
});
