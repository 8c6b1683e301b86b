import { LIMITS, problem, type Problem } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aPerson, createTestApplication, sha256, type TestApplication } from '../support/index.js';

/* What resumable uploads refuse, and how they say it; test/api/blobs.itest.ts has those that succeed. */

const UPLOADS = '/v1/uploads';
const TUS = { 'tus-resumable': '1.0.0' };
const CONTENT = { ...TUS, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };

let gleaner: TestApplication;
let submitter: string;
let worker: string;
beforeAll(async () => {
  gleaner = await createTestApplication();
  submitter = (await aPerson(gleaner)).token;
  worker = (await aPerson(gleaner, { scopes: ['work'] })).token;
});
afterAll(() => gleaner.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** null where an answer has no body. */
  readonly problem: Problem | null;
}

type RequestHeaders = Readonly<Record<string, string | undefined>>;

/** Headers that are undefined are left out. */
async function call(
  method: string,
  path: string,
  headers: RequestHeaders = TUS,
  { token = submitter, body }: { token?: string | null; body?: string } = {},
): Promise<Answer> {
  const sent = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const response = await fetch(new URL(path, gleaner.url), {
    method,
    headers: Object.fromEntries([
      ...sent,
      ...(token === null ? [] : [['authorization', `Bearer ${token}`] as const]),
    ]),
    ...(body === undefined ? {} : { body: new TextEncoder().encode(body) }),
  });
  const text = await response.text();
  if (response.status < 400 || text === '') {
    return { status: response.status, headers: response.headers, problem: null };
  }
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  return {
    status: response.status,
    headers: response.headers,
    problem: problem.parse(JSON.parse(text)),
  };
}

async function anUpload(bytes: number, metadata?: string): Promise<string> {
  const headers = { ...TUS, 'upload-length': String(bytes), 'upload-metadata': metadata };
  const created = await call('POST', UPLOADS, headers);
  expect(created.status).toBe(201);
  return created.headers.get('location') ?? '';
}

/** What a refusal says: its status, its code, and of each mistake the pointer and the detail. */
function refusalOf({ status, problem: document }: Answer): unknown[] {
  const errors = document?.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`);
  return [status, document?.code, ...(errors ?? [])];
}

const NO_PAIRS =
  '/upload-metadata must be pairs of a name and its value in base64, such as "filename aGk=", with commas between them';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('an upload is not created', () => {
  it.each<[string, RequestHeaders, unknown[]]>([
    [
      'without a version of tus',
      { 'upload-length': '3' },
      [412, 'protocol-version', '/tus-resumable must be 1.0.0: it is missing'],
    ],
    [
      'by another version of tus',
      { 'tus-resumable': '0.2.2', 'upload-length': '3' },
      [412, 'protocol-version', '/tus-resumable must be 1.0.0, not "0.2.2"'],
    ],
    [
      'without a length',
      TUS,
      [400, 'malformed-request', '/upload-length must be a whole number of bytes: it is missing'],
    ],
    ...['-5', '1.5', '1e3', 'many', '007', '0x10', ''].map((length): [string, RequestHeaders, unknown[]] => [
      `of the length "${length}"`,
      { ...TUS, 'upload-length': length },
      [400, 'malformed-request', `/upload-length must be a whole number of bytes, not "${length}"`],
    ]),
    ...[`${LIMITS.blobBytes + 1}`, `${Number.MAX_SAFE_INTEGER}`, '9'.repeat(400)].map(
      (length): [string, RequestHeaders, unknown[]] => [
        `of ${length.slice(0, 20)} bytes`,
        { ...TUS, 'upload-length': length },
        [413, 'too-large', `/upload-length must be at most ${LIMITS.blobBytes} bytes`],
      ],
    ),
    [
      'of a length that is told later',
      { ...TUS, 'upload-defer-length': '1' },
      [400, 'malformed-request', '/upload-defer-length is not supported: say the length with Upload-Length'],
    ],
    [
      'as a part of another',
      { ...TUS, 'upload-length': '3', 'upload-concat': 'partial' },
      [400, 'malformed-request', '/upload-concat is not supported: send the content as one upload'],
    ],
    ...['', 'filename not-base64!', 'a b c', 'a aGk=,a aGk=', ','].map(
      (metadata): [string, RequestHeaders, unknown[]] => [
        `with the metadata "${metadata}"`,
        { ...TUS, 'upload-length': '3', 'upload-metadata': metadata },
        [400, 'malformed-request', NO_PAIRS],
      ],
    ),
    [
      'with a digest that is none',
      { ...TUS, 'upload-length': '3', 'upload-metadata': `sha256 ${base64('nonsense')}` },
      [400, 'invalid-request', '/upload-metadata/sha256 must be 64 lower-case hexadecimal digits'],
    ],
  ])('%s', async (_what, headers, refusal) => {
    expect(refusalOf(await call('POST', UPLOADS, headers))).toEqual(refusal);
  });

  it('without a token, or with one that may not submit', async () => {
    const headers = { ...TUS, 'upload-length': '3' };
    expect(refusalOf(await call('POST', UPLOADS, headers, { token: null }))).toEqual([401, 'unauthorised']);
    expect(refusalOf(await call('POST', UPLOADS, headers, { token: worker }))).toEqual([403, 'forbidden']);
  });

  it('with more content than it declares', async () => {
    const headers = { ...CONTENT, 'upload-length': '3' };
    expect(refusalOf(await call('POST', UPLOADS, headers, { body: 'four' }))).toEqual([
      413,
      'too-large',
      '/content-length must be at most what is missing of the upload',
    ]);
  });
});

describe('content is not taken', () => {
  it.each<[string, RequestHeaders, unknown[]]>([
    [
      'without an offset',
      { ...CONTENT, 'upload-offset': undefined },
      [400, 'malformed-request', '/upload-offset must be a whole number of bytes: it is missing'],
    ],
    [
      'at a negative offset',
      { ...CONTENT, 'upload-offset': '-1' },
      [400, 'malformed-request', '/upload-offset must be a whole number of bytes, not "-1"'],
    ],
    [
      'at the wrong offset',
      { ...CONTENT, 'upload-offset': '2' },
      [409, 'wrong-state', '/upload-offset must be what has come so far: ask with HEAD'],
    ],
    [
      'at an offset beyond all numbers',
      { ...CONTENT, 'upload-offset': '9'.repeat(400) },
      [409, 'wrong-state', '/upload-offset must be what has come so far: ask with HEAD'],
    ],
    [
      'of another type',
      { ...CONTENT, 'content-type': 'application/octet-stream' },
      [
        415,
        'unsupported-media-type',
        '/content-type must be application/offset+octet-stream, not "application/octet-stream"',
      ],
    ],
    [
      'of no type',
      { ...CONTENT, 'content-type': undefined },
      [415, 'unsupported-media-type', '/content-type must be application/offset+octet-stream: it is missing'],
    ],
    [
      'with a length once more',
      { ...CONTENT, 'upload-length': '4' },
      [400, 'malformed-request', '/upload-length was said when the upload was created: leave it out'],
    ],
    [
      'of another version of tus',
      { ...CONTENT, 'tus-resumable': '2.0.0' },
      [412, 'protocol-version', '/tus-resumable must be 1.0.0, not "2.0.0"'],
    ],
  ])('%s, and the upload stays as it was', async (_what, headers, refusal) => {
    const upload = await anUpload(4);
    expect(refusalOf(await call('PATCH', upload, headers, { body: 'data' }))).toEqual(refusal);
    expect((await call('HEAD', upload)).headers.get('upload-offset')).toBe('0');
    expect((await call('DELETE', upload)).status).toBe(204);
  });

  it('where it is more than was declared', async () => {
    const upload = await anUpload(3);
    expect(refusalOf(await call('PATCH', upload, CONTENT, { body: 'four' }))).toEqual([
      413,
      'too-large',
      '/content-length must be at most what is missing of the upload',
    ]);
  });

  it('where its digest is another one: the blob’s in its address, or that of the metadata', async () => {
    const digest = sha256(Buffer.from('other'));
    const upload = await anUpload(4, `sha256 ${base64(digest)}`);
    expect(refusalOf(await call('PATCH', upload, CONTENT, { body: 'data' }))).toEqual([
      400,
      'bad-digest',
      "/upload-metadata/sha256 is not the content's SHA-256",
    ]);
    const type = { 'content-type': 'application/octet-stream' };
    expect(refusalOf(await call('PUT', `/v1/blobs/sha256:${digest}`, type, { body: 'data' }))).toEqual([
      400,
      'bad-digest',
      "/blobId is not the content's SHA-256",
    ]);
  });

  it('without a token, or with one that may not submit', async () => {
    const upload = await anUpload(4);
    const send = (token: string | null) => call('PATCH', upload, CONTENT, { token, body: 'data' });
    expect(refusalOf(await send(null))).toEqual([401, 'unauthorised']);
    expect(refusalOf(await send(worker))).toEqual([403, 'forbidden']);
  });
});

describe('an address of uploads', () => {
  it('that is finished, deleted or never was, is none', async () => {
    const finished = await anUpload(4);
    expect((await call('PATCH', finished, CONTENT, { body: 'data' })).status).toBe(204);
    const deleted = await anUpload(4);
    expect((await call('DELETE', deleted)).status).toBe(204);
    for (const gone of [finished, deleted, `${UPLOADS}/1-${'0'.repeat(32)}`, `${UPLOADS}/~`]) {
      expect(refusalOf(await call('DELETE', gone))).toEqual([404, 'not-found']);
      expect(refusalOf(await call('PATCH', gone, CONTENT, { body: 'data' }))).toEqual([404, 'not-found']);
      expect((await call('HEAD', gone)).status).toBe(404);
    }
  });

  it('understands what is sensible there, and nothing else', async () => {
    const upload = await anUpload(4);
    const headers = { ...TUS, 'upload-length': '3' };
    for (const [path, allowed] of [
      [UPLOADS, 'OPTIONS, POST'],
      [upload, 'DELETE, HEAD, OPTIONS, PATCH'],
    ] as const) {
      for (const method of ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        if (allowed.includes(method)) continue;
        const answer = await call(method, path, headers);
        expect([method, path, answer.status, answer.headers.get('allow')]).toEqual([
          method,
          path,
          405,
          allowed,
        ]);
      }
      const options = await call('OPTIONS', path, {}, { token: null });
      expect([options.status, options.headers.get('tus-version')]).toEqual([204, '1.0.0']);
    }
  });
});
