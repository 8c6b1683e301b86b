import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { CoordinatorClient } from './coordinator-client.js';
import { LoopbackServer } from './loopback-server.fixture.js';

const MIB = 1024 * 1024;

it('an output that takes longer to arrive than any answer is waited for, and a small call is not', async () => {
  const arriving = Promise.withResolvers<ServerResponse>();
  await using server = await LoopbackServer.open((request, response) => {
    if (request.method === 'PUT') arriving.resolve(response);
  });
  const client = new CoordinatorClient({ baseUrl: server.url, timeoutMs: 300 });
  const { signal } = new AbortController();
  const uploading = client.uploadOutput('/output', new Blob([new Uint8Array(MIB)]), signal);
  const response = await Promise.race([arriving.promise, uploading]);
  // Begun later and given up: by now the output would have been as well.
  await expect(client.heartbeat({ running: [] }, signal)).rejects.toThrow('no answer in time');
  response?.writeHead(204).end();
  await expect(uploading).resolves.toBeUndefined();
});
