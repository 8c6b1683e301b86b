import { fastify } from 'fastify';
import { expect, it } from 'vitest';
import { writeOnce } from './write-once.js';

it('a document is written for its first reader, and sent to all others as it was', async () => {
  const server = fastify();
  server.addHook('onRoute', writeOnce);
  let times = 0;
  server.get('/document', (_request, reply) => {
    times += 1;
    return reply.type('text/yaml; charset=utf-8').send(`written: ${times}`);
  });
  const answers = [await server.inject('/document'), await server.inject('/document')];
  for (const { body, headers } of answers) {
    expect([body, headers['content-type']]).toEqual(['written: 1', 'text/yaml; charset=utf-8']);
  }
  await server.close();
});

it('who asks for the head alone gets the same headers, and costs no more', async () => {
  const server = fastify();
  server.addHook('onRoute', writeOnce);
  let times = 0;
  server.get('/document', () => `written: ${(times += 1)}`);
  const get = await server.inject('/document');
  for (let asks = 0; asks < 3; asks += 1) {
    const head = await server.inject({ method: 'HEAD', url: '/document' });
    expect([head.body, head.headers['content-length']]).toEqual(['', get.headers['content-length']]);
  }
  expect(times).toBeLessThanOrEqual(2);
  await server.close();
});

it('an answer that failed is not kept', async () => {
  const server = fastify();
  server.addHook('onRoute', writeOnce);
  let isReady = false;
  server.get('/document', (_request, reply) => reply.status(isReady ? 200 : 503).send('text'));
  expect((await server.inject('/document')).statusCode).toBe(503);
  isReady = true;
  expect((await server.inject('/document')).statusCode).toBe(200);
  await server.close();
});
