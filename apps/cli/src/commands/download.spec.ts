import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ApiClient } from '../api/api-client.js';
import { download } from './blob.js';

let directory: string;
let server: Server;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-download-'));
});
afterEach(async () => {
  server.close();
  await rm(directory, { recursive: true, force: true });
});

it('a download that breaks off says so, and leaves nothing that could be taken for the answer', async () => {
  server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write(Buffer.alloc(100), () => {
      // What has been written is on its way.
      response.socket?.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: undefined });
  const fetching = download(
    api,
    '/v1/jobs/1/output',
    join(directory, 'answer'),
    new AbortController().signal,
  );
  await expect(fetching).rejects.toMatchObject({
    name: 'CliError',
    message: expect.stringMatching(
      /^The download broke off after \d+ bytes \(.+\): fetch it again$/,
    ) as string,
    exitCode: 5,
  });
  expect(await readdir(directory)).toEqual([]);
});
