import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiClient } from './api-client.js';
import { download } from './download.js';

const MEBIBYTE = 1024 * 1024;
const CONTENT = randomBytes(1000);

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const text = (pattern: RegExp): string => expect.stringMatching(pattern) as string;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** As a coordinator answers, but its connection breaks after so many bytes. */
const cutAfter =
  (sentBytes: number, content: Uint8Array = CONTENT): Answer =>
  (request, response) => {
    const etag = `"${digestOf(content)}"`;
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const isPart = from !== undefined && request.headers['if-range'] === etag;
    const part = content.subarray(isPart ? Number(from) : 0);
    response.writeHead(isPart ? 206 : 200, { etag, 'content-length': part.length });
    // What has been written is on its way.
    response.write(part.subarray(0, sentBytes), () => response.socket?.end());
  };
const whole = cutAfter(CONTENT.length);
/** The same, and stays connected. */
const allOf =
  (content: Uint8Array): Answer =>
  (request, response) => {
    const etag = `"${digestOf(content)}"`;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, { etag, 'content-length': content.length - start });
    response.end(content.subarray(start));
  };
const away: Answer = (request) => request.destroy();
const badGateway: Answer = (_request, response) => response.writeHead(502).end('<h1>502</h1>');

let directory: string;
let server: Server;
let answers: Answer[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gleaner-download-'));
  answers = [];
  server = createServer((request, response) => (answers.shift() ?? badGateway)(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

/** More than the connections of a test that may break before a byte of them is read. */
const TRIES = 12;

function fetchAnswer(...given: readonly Answer[]): ReturnType<typeof download> {
  return fetchBlob(undefined, ...given);
}

function fetchBlob(sha256: string | undefined, ...given: readonly Answer[]): ReturnType<typeof download> {
  answers = [...given];
  const { port } = server.address() as AddressInfo;
  const api = new ApiClient({ url: `http://127.0.0.1:${port}`, token: undefined });
  const { signal } = new AbortController();
  return download(api, '/v1/jobs/1/output', join(directory, 'answer'), {
    signal,
    ...(sha256 !== undefined && { sha256 }),
    retryDelaysMs: Array<number>(TRIES).fill(0),
  });
}

describe('download', () => {
  it('goes on where the connection broke, also when nobody answers for a while', async () => {
    const stored = await fetchAnswer(cutAfter(100), away, badGateway, cutAfter(7), away, away, whole);
    expect(stored).toMatchObject({ sizeBytes: CONTENT.length, sha256: digestOf(CONTENT) });
    expect(await readFile(join(directory, 'answer'))).toEqual(CONTENT);
  });

  it('has the whole content, wherever and however often it breaks off', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, async (sizes) => {
        const { sha256 } = await fetchAnswer(...sizes.map((size) => cutAfter(size)), whole);
        expect(sha256).toBe(digestOf(CONTENT));
      }),
      { numRuns: 30 },
    );
  });

  it('says that it broke off where nothing more comes, and leaves nothing that could be taken for the answer', async () => {
    await expect(fetchAnswer(cutAfter(100), away, badGateway)).rejects.toMatchObject({
      name: 'CliError',
      message: text(/^The download broke off after (0|100) bytes \(.+\): fetch it again$/),
      exitCode: 5,
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it('goes on with what an earlier command fetched, where that was much', async () => {
    const content = randomBytes(4 * MEBIBYTE);
    await expect(fetchAnswer(cutAfter(3 * MEBIBYTE, content), away)).rejects.toMatchObject({ exitCode: 5 });
    const [part = ''] = await readdir(directory);
    expect(part).toMatch(/^answer\.[0-9a-f]{12}\.part$/);
    const { size } = await stat(join(directory, part));
    const ranges: Array<string | undefined> = [];
    const telling: Answer = (request, response) => {
      ranges.push(request.headers.range);
      allOf(content)(request, response);
    };
    expect(await fetchAnswer(telling, telling)).toMatchObject({
      sha256: digestOf(content),
      sizeBytes: content.length,
    });
    expect(ranges).toEqual([undefined, `bytes=${size}-`]);
    expect(await readFile(join(directory, 'answer'))).toEqual(content);
    expect(await readdir(directory)).toEqual(['answer']);
  });

  it('has it whole where the connection breaks behind the last byte', async () => {
    let sent = false;
    const body = new ReadableStream({
      pull(controller) {
        if (sent) controller.error(new TypeError('terminated'));
        else controller.enqueue(CONTENT);
        sent = true;
      },
    });
    const headers = { etag: `"${digestOf(CONTENT)}"`, 'content-length': String(CONTENT.length) };
    vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(new Response(body, { headers }));
    expect(await fetchAnswer()).toMatchObject({ sizeBytes: CONTENT.length });
    expect(await readFile(join(directory, 'answer'))).toEqual(CONTENT);
  });

  it('takes what was left whole, and does not go on with what was damaged', async () => {
    const part = join(directory, `answer.${digestOf(CONTENT).slice(0, 12)}.part`);
    await writeFile(part, CONTENT);
    expect(await fetchAnswer(whole)).toMatchObject({ sizeBytes: CONTENT.length });
    expect(await readdir(directory)).toEqual(['answer']);
    await writeFile(part, Buffer.alloc(10));
    await expect(fetchAnswer(whole, whole)).rejects.toThrow('is not what the coordinator has');
    expect(await readdir(directory)).toEqual(['answer']);
  });

  it('does not put together what a proxy has changed', async () => {
    const packed: Answer = (_request, response) => {
      response.writeHead(200, { etag: `W/"${digestOf(CONTENT)}"`, 'content-length': 1000 });
      response.write(CONTENT.subarray(0, 100), () => response.socket?.end());
    };
    await expect(fetchAnswer(packed, whole)).rejects.toMatchObject({ message: text(/broke off after/) });
  });

  it('does not put two contents together', async () => {
    await expect(fetchAnswer(cutAfter(100), cutAfter(1000, randomBytes(1000)))).rejects.toMatchObject({
      message: 'What is downloaded has become something else meanwhile: fetch it again',
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it('ends where the coordinator refuses to go on', async () => {
    const gone: Answer = (_request, response) => {
      const problem = { type: 'about:blank', title: 'Not found', status: 404, code: 'not-found' };
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    };
    await expect(fetchAnswer(cutAfter(100), gone, whole)).rejects.toMatchObject({ exitCode: 3 });
  });

  it('takes no page for an answer, as that with which a network asks its guests to sign in', async () => {
    const page: Answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    await expect(fetchAnswer(page)).rejects.toMatchObject({ message: text(/answered as a page does/) });
    expect(await readdir(directory)).toEqual([]);
  });

  it('takes nothing that is not what its name says', async () => {
    const other: Answer = (_request, response) => response.writeHead(200).end('other');
    await expect(fetchBlob(digestOf(CONTENT), other)).rejects.toMatchObject({
      message: text(/is not what the coordinator has/),
    });
    expect(await fetchBlob(digestOf(CONTENT), whole)).toMatchObject({ sizeBytes: CONTENT.length });
  });

  it('takes nothing that is not what the coordinator has', async () => {
    const other: Answer = (_request, response) =>
      response.writeHead(200, { etag: `"${digestOf(CONTENT)}"` }).end(randomBytes(1000));
    await expect(fetchAnswer(other)).rejects.toMatchObject({
      message: text(/^What came is not what the coordinator has \(SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}\)/),
    });
    expect(await readdir(directory)).toEqual([]);
  });
});
