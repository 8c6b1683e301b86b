import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { manifestBytes, type Manifest } from '@gleaner/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ContentMismatchError,
  ManifestSignatureError,
  OriginUnavailableError,
  type BlobLocation,
} from './chunk-source.js';
import { HttpOriginSource, type HttpOriginInit } from './http-origin-source.js';
import { sha256Hex } from './sha256.js';

const CHUNK = 256 * 1024;
const CONTENT = Uint8Array.from(
  { length: 3 * CHUNK + 1000 },
  (_, index) => (index * 31 + (index >> 8)) & 0xff,
);
const MANIFEST: Manifest = {
  v: 1,
  alg: 'sha256',
  size: CONTENT.length,
  chunk: CHUNK,
  hashes: [0, 1, 2, 3].map((index) => sha256Hex(CONTENT.subarray(index * CHUNK, (index + 1) * CHUNK))),
};
const NEVER = new AbortController().signal;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closers: Array<() => void> = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** An origin on a real socket; `requests` collects what it was asked. */
async function anOrigin(handler: Handler, init: Partial<HttpOriginInit> = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const source = new HttpOriginSource({
    baseUrl: new URL(`http://127.0.0.1:${address.port}`),
    credentials: () => ({ authorization: 'Bearer secret' }),
    retryDelayMs: () => 0,
    attempts: 5,
    // A busy machine is no line that stalls.
    stallMs: 120_000,
    ...init,
  });
  const location: BlobLocation = {
    blobId: `sha256:${sha256Hex(CONTENT)}`,
    manifestId: sha256Hex(manifestBytes(MANIFEST)),
    sizeBytes: CONTENT.length,
    manifestUrl: '/manifest',
    contentUrl: '/content',
  };
  return { source, location, requests };
}

function rangeOf(request: IncomingMessage): { first: number; end: number } {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  return { first: Number(match?.[1]), end: Number(match?.[2]) + 1 };
}

const serveRange: Handler = (request, response) => {
  const { first, end } = rangeOf(request);
  response.writeHead(206).end(CONTENT.subarray(first, end));
};

async function fetchAll(
  source: HttpOriginSource,
  location: BlobLocation,
  indices: readonly number[],
  signal = NEVER,
) {
  const chunks = new Map<number, Uint8Array>();
  for await (const { index, bytes } of source.fetchChunks(
    { location, manifest: MANIFEST, indices },
    signal,
  )) {
    chunks.set(index, bytes);
  }
  return chunks;
}

describe('HttpOriginSource', () => {
  it('asks for neighbouring chunks in one Range request and yields each verified', async () => {
    const { source, location, requests } = await anOrigin(serveRange);
    const chunks = await fetchAll(source, location, [0, 1, 3]);
    expect([...chunks.keys()]).toEqual([0, 1, 3]);
    expect(chunks.get(3)).toEqual(CONTENT.slice(3 * CHUNK));
    expect(requests.map((request) => request.headers.range)).toEqual([
      `bytes=0-${2 * CHUNK - 1}`,
      `bytes=${3 * CHUNK}-${CONTENT.length - 1}`,
    ]);
    expect(requests[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('goes on behind the last good chunk when the connection breaks', async () => {
    let first: ServerResponse | undefined;
    const { source, location, requests } = await anOrigin((request, response) => {
      if (first) return serveRange(request, response);
      first = response;
      response.writeHead(206, { 'content-length': 4 * CHUNK });
      response.write(CONTENT.subarray(0, CHUNK + 10));
    });
    const indices: number[] = [];
    const request = { location, manifest: MANIFEST, indices: [0, 1, 2, 3] };
    for await (const { index } of source.fetchChunks(request, NEVER)) {
      indices.push(index);
      // Once a connection has broken, what of it was not read yet is lost.
      if (index === 0) first?.destroy();
    }
    expect(indices).toEqual([0, 1, 2, 3]);
    expect(requests[1]?.headers.range).toBe(`bytes=${CHUNK}-${CONTENT.length - 1}`);
  });

  it('gives up on an origin that only sends altered bytes, naming the chunk', async () => {
    const { source, location, requests } = await anOrigin((request, response) => {
      const { first, end } = rangeOf(request);
      const altered = CONTENT.slice(first, end);
      altered[5] = (altered[5] ?? 0) ^ 1;
      response.writeHead(206).end(altered);
    });
    await expect(fetchAll(source, location, [2])).rejects.toThrow(ContentMismatchError);
    expect(requests).toHaveLength(3);
  });

  it('tries again after a 503 and a connection that stalls', async () => {
    let attempt = 0;
    const handler: Handler = (request, response) => {
      attempt += 1;
      if (attempt === 1) response.writeHead(503).end();
      else if (attempt === 2) response.writeHead(206).write(CONTENT.subarray(0, 10));
      else serveRange(request, response);
    };
    // On a busy machine a good connection may stall, too.
    const { source, location } = await anOrigin(handler, { stallMs: 200, attempts: 100 });
    expect((await fetchAll(source, location, [0])).size).toBe(1);
    expect(attempt).toBeGreaterThanOrEqual(3);
  });

  it('gives up on an origin that stays out of order, after so many attempts', async () => {
    const { source, location, requests } = await anOrigin((_, response) => response.writeHead(503).end());
    await expect(fetchAll(source, location, [0])).rejects.toThrow(OriginUnavailableError);
    expect(requests).toHaveLength(5);
    await expect(source.fetchManifest(location, NEVER)).rejects.toThrow(OriginUnavailableError);
    expect(requests).toHaveLength(10);
  });

  it('takes the beginning of a whole file from an origin that knows no ranges, and nothing else of it', async () => {
    const { source, location, requests } = await anOrigin((_, response) => response.end(CONTENT));
    expect((await fetchAll(source, location, [0, 1])).get(1)).toEqual(CONTENT.slice(CHUNK, 2 * CHUNK));
    await expect(fetchAll(source, location, [1])).rejects.toThrow(OriginUnavailableError);
    expect(requests).toHaveLength(2);
  });

  it('does not repeat what is refused for good', async () => {
    const { source, location, requests } = await anOrigin((_, response) => response.writeHead(404).end());
    await expect(fetchAll(source, location, [0])).rejects.toThrow(OriginUnavailableError);
    expect(requests).toHaveLength(1);
  });

  it('accepts only the manifest that was named', async () => {
    const { source, location } = await anOrigin((_, response) => response.end(manifestBytes(MANIFEST)));
    expect(await source.fetchManifest(location, NEVER)).toEqual(MANIFEST);
    const other = { ...location, manifestId: '0'.repeat(64) };
    await expect(source.fetchManifest(other, NEVER)).rejects.toThrow(ContentMismatchError);
  });

  it('accepts only a manifest that the coordinator has signed, where it knows its key', async () => {
    const bytes = manifestBytes(MANIFEST);
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const fetchSigned = async (signature: string | undefined) => {
      const handler: Handler = (_, response) => {
        if (signature !== undefined) response.setHeader('gleaner-signature', signature);
        response.end(bytes);
      };
      const { source, location } = await anOrigin(handler, { manifestKey: () => Promise.resolve(publicKey) });
      return source.fetchManifest(location, NEVER);
    };
    const signedBy = (key: KeyObject, what: Uint8Array = bytes) => sign(null, what, key).toString('base64');
    expect(await fetchSigned(signedBy(privateKey))).toEqual(MANIFEST);
    const another = generateKeyPairSync('ed25519').privateKey;
    const refused = [undefined, '', 'no base64', signedBy(another), signedBy(privateKey, Uint8Array.of(1))];
    for (const signature of refused) {
      await expect(fetchSigned(signature)).rejects.toThrow(ManifestSignatureError);
    }
  });

  it('sends credentials to the coordinator alone', async () => {
    const { source, location } = await anOrigin(serveRange);
    const elsewhere = await anOrigin(serveRange);
    const foreign = new URL('/content', `http://127.0.0.1:${portOf(elsewhere.source)}`).href;
    await fetchAll(source, { ...location, contentUrl: foreign }, [0]);
    expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined();
  });

  it('ends at once when it is aborted', async () => {
    const { source, location } = await anOrigin((_, response) => response.writeHead(206).write('x'));
    const controller = new AbortController();
    const fetching = fetchAll(source, location, [0], controller.signal);
    controller.abort(new Error('no longer wanted'));
    await expect(fetching).rejects.toThrow('no longer wanted');
  });
});

function portOf(source: HttpOriginSource): string {
  return new URL('/', source.baseUrl).port;
}
