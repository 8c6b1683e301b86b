import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Blob } from '@gleaner/protocol';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiClient } from './api-client.js';
import { identifyFile, uploadBlob } from './upload-blob.js';

let directory: string;
let path: string;
let server: Server;
let answer: RequestListener;
let api: ApiClient;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-upload-'));
  path = join(directory, 'tape');
  vi.stubEnv('XDG_CACHE_HOME', join(directory, 'cache'));
  await writeFile(path, randomBytes(3000));
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: 'gln_x' });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

const NOT_FOUND = { type: 'about:blank', code: 'not-found', title: 'Not found', status: 404 };

/** A coordinator that makes a blob of what it is sent, or does not; its answer to that is lost on the way. */
function losesItsAnswer(blob: Blob, isStored: boolean): RequestListener {
  let isSent = false;
  return (request, response) => {
    const answerJson = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const { method } = request;
    if (method === 'POST') response.writeHead(201, { location: '/v1/uploads/1' }).end();
    else if (method === 'PATCH')
      void buffer(request).then(() => {
        isSent = true;
        response.destroy();
      });
    else if (method === 'HEAD' && !isSent)
      response.writeHead(200, { 'upload-offset': '0', 'upload-length': String(blob.sizeBytes) }).end();
    else if (method === 'GET' && isSent && isStored) answerJson(200, blob);
    else answerJson(404, NOT_FOUND);
  };
}

async function theBlob(): Promise<Blob> {
  return {
    ...(await identifyFile(path)),
    manifestId: '0'.repeat(64),
    chunkBytes: 262_144,
    chunks: 1,
    signature: 'A'.repeat(88),
    createdAt: '2026-11-23T00:00:00.000Z',
    references: 0,
  };
}

it('an upload whose last answer was lost has come to its end where the blob is there', async () => {
  const blob = await theBlob();
  answer = losesItsAnswer(blob, true);
  expect(await uploadBlob(api, path)).toMatchObject(blob);
});

it('an upload that is gone without a blob has failed', async () => {
  answer = losesItsAnswer(await theBlob(), false);
  await expect(uploadBlob(api, path)).rejects.toThrow(/^The upload failed/);
});

it('an upload whose token was revoked meanwhile says where another comes from, and goes on with that', async () => {
  const refusal = {
    type: 'about:blank',
    code: 'unauthorised',
    title: 'A valid token is needed',
    status: 401,
  };
  answer = ({ method }, response) => {
    if (method === 'POST') response.writeHead(201, { location: '/v1/uploads/1' }).end();
    else if (method === 'GET') response.writeHead(404).end(JSON.stringify(NOT_FOUND));
    else response.writeHead(401).end(method === 'HEAD' ? undefined : JSON.stringify(refusal));
  };
  await expect(uploadBlob(api, path)).rejects.toMatchObject({
    message: expect.stringMatching(
      /^The upload failed: .*\nMake another .* GLEANER_TOKEN\.\nthe same command goes on from there$/,
    ) as string,
    exitCode: 3,
  });
});

it('a file is not read to its end, nor sent, once the command is stopped', async () => {
  let calls = 0;
  answer = (_request, response) => {
    calls += 1;
    response.writeHead(404).end();
  };
  const stop = new AbortController();
  const onRead = () => stop.abort(new DOMException('stopped', 'AbortError'));
  await expect(uploadBlob(api, path, { signal: stop.signal, onRead })).rejects.toThrow('stopped');
  expect(calls).toBe(0);
});

it('an upload whose coordinator has gone says so, and what to do', async () => {
  answer = ({ method }, response) => {
    if (method === 'POST') {
      response.writeHead(201, { location: '/v1/uploads/1', connection: 'close' }).end();
      server.close();
    } else response.writeHead(404, { connection: 'close' }).end(JSON.stringify(NOT_FOUND));
  };
  await expect(uploadBlob(api, path, { retryDelaysMs: [] })).rejects.toMatchObject({
    message: expect.stringMatching(
      /^The upload failed: the coordinator does not answer any more \(.*\)\nthe same command goes on from there$/,
    ) as string,
    exitCode: 5,
  });
});

it.each([
  ['HEAD', '', /^The upload failed: http:\/\/127\.0\.0\.1:\d+ answered 413$/m, 3],
  ['PATCH', '<html>', /^The upload failed: .* answered 413, as a proxy does that lets nothing so large/m, 5],
] as const)('an upload that a %s ends says so in words for people', async (refused, body, said, exitCode) => {
  answer = ({ method }, response) => {
    if (method === 'POST') response.writeHead(201, { location: '/v1/uploads/1' }).end();
    else if (method === refused) response.writeHead(413).end(body);
    else if (method === 'HEAD')
      response.writeHead(200, { 'upload-offset': '0', 'upload-length': '3000' }).end();
    else response.writeHead(404).end(JSON.stringify(NOT_FOUND));
  };
  await expect(uploadBlob(api, path)).rejects.toMatchObject({
    message: expect.stringMatching(said) as string,
    exitCode,
  });
});
