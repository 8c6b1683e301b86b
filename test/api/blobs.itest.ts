import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobReferences, BlobsService, BlobSweep } from '@gleaner/coordinator';
import { blob, coordinatorInfo, manifest, manifestBytes, problem } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  createTestApplication,
  seedJob,
  sha256,
  type TestApplication,
  TestHost,
  type TestPerson,
} from '../support/index.js';

let gleaner: TestApplication;
let ada: TestPerson;
beforeAll(async () => {
  gleaner = await createTestApplication();
  ada = await aPerson(gleaner);
});
afterAll(() => gleaner.close());

function idOf(bytes: Uint8Array): string {
  return `sha256:${sha256(bytes)}`;
}

/** A request with Ada's token whose answer is read as bytes. */
async function call(
  method: string,
  path: string,
  { headers = {}, body, token = ada.token }: CallOptions = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const response = await fetch(new URL(path, gleaner.url), {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}

interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  readonly token?: string;
}

async function put(bytes: Uint8Array, id = idOf(bytes), token = ada.token): Promise<number> {
  const headers = { 'content-type': 'application/octet-stream' };
  return (await call('PUT', `/v1/blobs/${id}`, { headers, body: bytes, token })).status;
}

const TUS = { 'tus-resumable': '1.0.0' };

async function createUpload(length: number, metadata = ''): Promise<{ status: number; location: string }> {
  const answer = await call('POST', '/v1/uploads', {
    headers: {
      ...TUS,
      'upload-length': String(length),
      ...(metadata === '' ? {} : { 'upload-metadata': metadata }),
    },
  });
  return { status: answer.status, location: answer.headers.get('location') ?? '' };
}

async function patch(location: string, offset: number, body: Uint8Array, token = ada.token) {
  return await call('PATCH', location, {
    headers: { ...TUS, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
    body,
    token,
  });
}

function digestMetadata(digest: string): string {
  return `sha256 ${Buffer.from(digest).toString('base64')}`;
}

/** Files in the folder for unfinished content. */
async function temporaryFiles(): Promise<string[]> {
  const entries = await readdir(join(gleaner.config.dataDir, 'blobs'), { recursive: true });
  return entries.filter((name) => /te?mp/.test(name)).filter((name) => name.includes('/'));
}

describe('blobs', () => {
  it('come back byte for byte, whole and in ranges', async () => {
    const bytes = randomBytes(1000);
    expect(await put(bytes)).toBe(201);
    const path = `/v1/blobs/${idOf(bytes)}/content`;
    const whole = await call('GET', path);
    expect(whole.bytes.equals(bytes)).toBe(true);
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    expect(whole.headers.get('content-disposition')).toBe('attachment');
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 0],
      ['bytes=10-19', 10, 19],
      ['bytes=990-5000', 990, 999],
      ['bytes=-5', 995, 999],
      ['bytes=500-', 500, 999],
    ] as const) {
      const part = await call('GET', path, { headers: { range } });
      expect([range, part.status, part.headers.get('content-range')]).toEqual([
        range,
        206,
        `bytes ${start}-${end}/1000`,
      ]);
      expect(part.bytes.equals(bytes.subarray(start, end + 1))).toBe(true);
    }
    const outside = await call('GET', path, { headers: { range: 'bytes=1000-' } });
    expect([outside.status, outside.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
    const known = await call('GET', path, { headers: { 'if-none-match': whole.headers.get('etag') ?? '' } });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
  });

  it('are described to who asks for the headers alone, as when they are sent', async () => {
    const bytes = randomBytes(1000);
    await put(bytes);
    const path = `/v1/blobs/${idOf(bytes)}/content`;
    const described = async (method: string, range?: string) => {
      const { status, headers } = await call(method, path, { headers: range === undefined ? {} : { range } });
      return [status, ...['content-length', 'content-range', 'etag'].map((name) => headers.get(name))];
    };
    for (const range of [undefined, 'bytes=10-19', 'bytes=1000-']) {
      expect(await described('HEAD', range)).toEqual(await described('GET', range));
    }
    expect(await described('HEAD')).toEqual([200, '1000', null, `"${sha256(bytes)}"`]);
  });

  it('have a manifest that the coordinator has signed', async () => {
    const bytes = randomBytes(300 * 1024);
    await put(bytes);
    const answer = await call('GET', `/v1/blobs/${idOf(bytes)}/manifest`);
    const parsed = manifest.parse(JSON.parse(answer.bytes.toString()));
    expect(parsed.hashes).toEqual([
      sha256(bytes.subarray(0, 256 * 1024)),
      sha256(bytes.subarray(256 * 1024)),
    ]);
    expect(answer.bytes.equals(manifestBytes(parsed))).toBe(true);
    const described = blob.parse((await ada.get(`/v1/blobs/${idOf(bytes)}`).expect(200)).body);
    expect(described).toMatchObject({ sizeBytes: bytes.length, chunks: 2, manifestId: sha256(answer.bytes) });
    const info = coordinatorInfo.parse((await gleaner.http.get('/v1/coordinator').expect(200)).body);
    const x = Buffer.from(info.publicKey, 'base64').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const signature = Buffer.from(answer.headers.get('gleaner-signature') ?? '', 'base64');
    expect(verify(null, answer.bytes, publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.concat([answer.bytes, Buffer.from(' ')]), publicKey, signature)).toBe(false);
  });

  it('of a wrong digest are refused, and nothing stays', async () => {
    const before = await temporaryFiles();
    const answer = await call('PUT', `/v1/blobs/${idOf(Buffer.from('other'))}`, {
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from('this'),
    });
    expect(answer.status).toBe(400);
    expect(problem.parse(JSON.parse(answer.bytes.toString()))).toMatchObject({ code: 'bad-digest' });
    await ada.get(`/v1/blobs/${idOf(Buffer.from('other'))}`).expect(404);
    expect(await temporaryFiles()).toEqual(before);
  });

  it('belong to those who have uploaded them', async () => {
    const bytes = randomBytes(10);
    await put(bytes);
    const eve = await aPerson(gleaner);
    for (const suffix of ['', '/manifest', '/content']) {
      expect((await call('GET', `/v1/blobs/${idOf(bytes)}${suffix}`, { token: eve.token })).status).toBe(404);
    }
    expect(await put(bytes, idOf(bytes), eve.token)).toBe(201);
    await eve.get(`/v1/blobs/${idOf(bytes)}`).expect(200);
    await gleaner.http.get(`/v1/blobs/${idOf(bytes)}`).expect(401);
    await ada.get('/v1/blobs/sha256:nonsense').expect(400);
  });

  it('of a job are read by the hosts that compute with them, and of those its inputs alone', async () => {
    const [input, answer] = [randomBytes(30), randomBytes(31)];
    expect([await put(input), await put(answer)]).toEqual([201, 201]);
    const seed = { units: 9, accountId: ada.account.id, inputs: { tape: idOf(input) } };
    const { jobId } = await seedJob(gleaner.dataSource, seed);
    await gleaner.dataSource.query(
      "INSERT INTO blob_reference (sha256, owner_kind, owner_id, role) VALUES ($1, 'job', $2, 'output')",
      [Buffer.from(sha256(answer), 'hex'), jobId],
    );
    const [computing, idle] = [await TestHost.attach(gleaner.url), await TestHost.attach(gleaner.url)];
    expect((await computing.ask()).tasks).toHaveLength(1);
    const read = async ({ attached }: TestHost, bytes: Uint8Array): Promise<number> =>
      (await call('GET', `/v1/blobs/${idOf(bytes)}/content`, { token: attached.secret })).status;
    expect(await read(computing, input)).toBe(200);
    expect(await read(computing, answer)).toBe(404);
    expect(await read(idle, input)).toBe(404);
  });

  it('is referenced by two jobs at once whose answer it is', async () => {
    const bytes = randomBytes(300);
    expect(await put(bytes)).toBe(201);
    const digest = sha256(bytes);
    const references = gleaner.app.get(BlobReferences);
    // As when a job names its answer: both point at the blob before either of them references it.
    const pointing = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const complete = (nth: 0 | 1) =>
      gleaner.dataSource.transaction(async (manager) => {
        await manager.query("SELECT FROM blob WHERE sha256 = decode($1, 'hex') FOR KEY SHARE", [digest]);
        pointing[nth].resolve();
        await Promise.all(pointing.map(({ promise }) => promise));
        const owner = { kind: 'job' as const, id: `${900_000 + nth}` };
        return await references.add(manager, owner, [{ sha256: digest, role: 'output' }]);
      });
    expect(await Promise.all([complete(0), complete(1)])).toEqual([[], []]);
  });

  it('without a reference are swept after a week; those in use stay', async () => {
    const [unused, used] = [randomBytes(20), randomBytes(20)];
    await put(unused);
    await put(used);
    const references = gleaner.app.get(BlobReferences);
    await gleaner.dataSource.transaction((manager) =>
      references.add(manager, { kind: 'job', id: '1' }, [{ sha256: sha256(used), role: 'input:x' }]),
    );
    await gleaner.dataSource.query(
      "UPDATE blob SET unreferenced_since = unreferenced_since - interval '8 days'",
    );
    const { blobs } = await gleaner.app.get(BlobSweep).sweep(new AbortController().signal);
    expect(blobs).toBeGreaterThan(0);
    await ada.get(`/v1/blobs/${idOf(unused)}`).expect(404);
    expect((await call('GET', `/v1/blobs/${idOf(used)}/content`)).bytes.equals(used)).toBe(true);
    await gleaner.dataSource.transaction((manager) =>
      references.removeAll(manager, { kind: 'job', id: '1' }),
    );
    expect(await gleaner.app.get(BlobsService).sweepUnreferenced()).toBe(0);
    await ada.get(`/v1/blobs/${idOf(used)}`).expect(200);
  });
});

describe('resumable uploads', () => {
  it('go on where they stopped and become a blob', async () => {
    const bytes = randomBytes(5000);
    const { status, location } = await createUpload(bytes.length, digestMetadata(sha256(bytes)));
    expect(status).toBe(201);
    expect((await patch(location, 0, bytes.subarray(0, 2000))).status).toBe(204);
    const head = await call('HEAD', location, { headers: TUS });
    expect(head.headers.get('upload-offset')).toBe('2000');
    const repeated = await patch(location, 0, bytes.subarray(0, 2000));
    expect(repeated.status).toBe(409);
    const done = await patch(location, 2000, bytes.subarray(2000));
    expect(done.headers.get('gleaner-blob-id')).toBe(idOf(bytes));
    expect((await call('GET', `/v1/blobs/${idOf(bytes)}/content`)).bytes.equals(bytes)).toBe(true);
  });

  it.each([0, 1000])(
    'all of whose %i bytes come as they begin are stored, which the answer says',
    async (size) => {
      const bytes = randomBytes(size);
      const type = { 'content-type': 'application/offset+octet-stream' };
      const headers = { ...TUS, 'upload-length': String(size), ...(size > 0 && type) };
      const { status, headers: answered } = await call('POST', '/v1/uploads', {
        headers,
        ...(size > 0 && { body: bytes }),
      });
      expect([status, answered.get('gleaner-blob-id')]).toEqual([201, idOf(bytes)]);
      expect((await call('GET', `/v1/blobs/${idOf(bytes)}/content`)).bytes).toEqual(bytes);
    },
  );

  it('whose content is not what was declared become nothing', async () => {
    const declared = sha256(Buffer.from('declared'));
    const { location } = await createUpload(4, digestMetadata(declared));
    const answer = await patch(location, 0, Buffer.from('fake'));
    expect(answer.status).toBe(400);
    expect(problem.parse(JSON.parse(answer.bytes.toString()))).toMatchObject({ code: 'bad-digest' });
    await ada.get(`/v1/blobs/sha256:${declared}`).expect(404);
    expect((await call('HEAD', location, { headers: TUS })).status).toBe(404);
  });

  it('belong to their creator, need a token, and have a bound', async () => {
    const { location } = await createUpload(10);
    const eve = await aPerson(gleaner);
    expect((await patch(location, 0, Buffer.alloc(10), eve.token)).status).toBe(404);
    expect((await patch(location, 0, Buffer.alloc(10), 'gln_nobody')).status).toBe(401);
    expect((await createUpload(Number.MAX_SAFE_INTEGER)).status).toBe(413);
    expect((await createUpload(10, digestMetadata('nonsense'))).status).toBe(400);
    expect((await call('POST', '/v1/uploads', { headers: { 'upload-length': '1' } })).status).toBe(412);
  });
});
