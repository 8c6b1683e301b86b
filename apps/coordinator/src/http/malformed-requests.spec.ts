import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { answerMalformedRequests, MALFORMED_REQUEST_HANDLERS } from './malformed-requests.js';

const server = fastify({ ...MALFORMED_REQUEST_HANDLERS });
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
