import { createServer, type ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { CoordinatorClient } from './coordinator-client.js';

const MIB = 1024 * 1024;

it('an output that takes longer to arrive than any answer is waited for, and a small call is not', async () => {
  const arriving = Promise.withResolvers<ServerResponse>();
  const server = createServer((request, response) => {
    if (request.method === 'PUT') arriving.resolve(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = new CoordinatorClient({ baseUrl: new URL(`http://127.0.0.1:${port}`), timeoutMs: 300 });
  const { signal } = new AbortController();
  try {
    const uploading = client.uploadOutput('/output', new Blob([new Uint8Array(MIB)]), signal);
    const response = await Promise.race([arriving.promise, uploading]);
    // Begun later and given up: by now the output would have been as well.
    await expect(client.heartbeat({ running: [] }, signal)).rejects.toThrow('no answer in time');
    response?.writeHead(204).end();
    await expect(uploading).resolves.toBeUndefined();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
