import { createServer } from 'node:http';
import { queryObjects } from 'node:v8';
import { expect, it, onTestFinished } from 'vitest';
import type { ChunkSource } from '../chunk-source.js';
import { CoordinatorRefusedError, HttpSwarmCoordinator } from './swarm-coordinator.js';

const REQUEST = {
  manifestId: 'ab'.repeat(32),
  peerId: '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf',
  wanted: '',
  count: 1,
  urgent: false,
};
const ANSWER = { chunks: [3], otherwise: 'busy', retryAfterMs: 0 };
const NO_ORIGIN: ChunkSource = {
  fetchChunks: () => {
    throw new Error('nothing is fetched here');
  },
};

/** A coordinator that has a mebibyte to say before it answers, so many times. */
async function aCoordinator(mebibytesBefore: number, status = 200): Promise<HttpSwarmCoordinator> {
  const server = createServer((_request, response) => {
    response.statusCode = status;
    for (let n = 0; n < mebibytesBefore; n += 1) response.write(' '.repeat(1024 * 1024));
    response.end(JSON.stringify(ANSWER));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const baseUrl = new URL(`http://127.0.0.1:${address.port}`);
  return new HttpSwarmCoordinator({ baseUrl, credentials: () => ({}), origin: NO_ORIGIN });
}

const ask = async (mebibytesBefore: number) =>
  (await aCoordinator(mebibytesBefore)).requestOriginTickets(REQUEST, new AbortController().signal);

it('a coordinator is heard out', async () => {
  expect(await ask(1)).toEqual(ANSWER);
});

it('a coordinator that does not come to an end is not: its answer would fill the memory of the volunteer', async () => {
  await expect(ask(40)).rejects.toThrow(RangeError);
});

it('nothing is left of calls that were answered', async () => {
  const coordinator = await aCoordinator(0);
  const call = () => coordinator.requestOriginTickets(REQUEST, new AbortController().signal);
  await call();
  const before = queryObjects(AbortSignal, { format: 'count' });
  for (let calls = 0; calls < 50; calls += 1) await call();
  await expect.poll(() => queryObjects(AbortSignal, { format: 'count' }) - before).toBeLessThan(25);
});

it.each([
  [403, true],
  [503, false],
])('a coordinator that answers %i refuses: %s', async (status, isRefusal) => {
  const coordinator = await aCoordinator(0, status);
  const error: unknown = await coordinator
    .requestOriginTickets(REQUEST, new AbortController().signal)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(error instanceof CoordinatorRefusedError).toBe(isRefusal);
});
