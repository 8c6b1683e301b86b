import { request as httpRequest } from 'node:http';
import { STRANGER_BODY_BYTES } from '@gleaner/coordinator';
import { LIMITS } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { aPerson, createTestApplication, type TestApplication } from '../support/index.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

describe('every answer', () => {
  it('is a problem document where there is nothing', async () => {
    const response = await gleaner.http.get('/v1/nothing').expect(404);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toMatchObject({
      type: 'urn:gleaner:problem:not-found',
      status: 404,
      code: 'not-found',
    });
  });

  it('names the methods that an address understands', async () => {
    const response = await gleaner.http.delete('/health/live').expect(405);
    expect(response.headers['allow']).toBe('GET, HEAD');
    expect(response.body).toMatchObject({ code: 'method-not-allowed' });
  });

  it('tells a slash too many, and a part that is too long, from a wrong method', async () => {
    for (const method of ['get', 'post', 'delete'] as const) {
      const slash = await gleaner.http[method]('/v1/jobs/').expect(404);
      expect(slash.body).toMatchObject({
        code: 'not-found',
        detail: 'There is nothing at /v1/jobs/: leave out the slash at its end.',
      });
    }
    const long = await gleaner.http.get(`/v1/jobs/${'7'.repeat(500)}`).expect(414);
    expect(long.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(long.body).toMatchObject({
      code: 'uri-too-long',
      detail: 'A part of the address may have at most 200 characters.',
    });
    expect((await gleaner.http.get('/v1/no/such/address/').expect(404)).body).toMatchObject({
      detail: 'There is nothing at /v1/no/such/address/.',
    });
  });

  it.each(['/health/live', '/metrics', '/v1/projects', '/v1/nothing', '/v1/openapi.json', '/v1/docs', '/'])(
    'at %s is what it says that it is, and never run as what it looks like',
    async (path) => {
      const { headers } = await gleaner.http.get(path).set('accept', 'text/html');
      expect(headers['x-content-type-options']).toBe('nosniff');
    },
  );

  it('tells liveness, readiness and metrics without a token', async () => {
    await gleaner.http.get('/health/live').expect(200, { status: 'ok' });
    const ready = await gleaner.http.get('/health/ready').expect(200);
    expect(ready.body).toMatchObject({ info: { database: { status: 'up' } } });
    const metrics = await gleaner.http.get('/metrics').expect(200);
    expect(metrics.text).toContain('gleaner_http_request_seconds_bucket');
  });

  it('is described by a document whose schemas lead somewhere', async () => {
    const response = await gleaner.http.get('/v1/openapi.json').expect(200);
    const { components } = z
      .object({ components: z.object({ schemas: z.record(z.string(), z.looseObject({})) }) })
      .parse(response.body);
    expect(components.schemas['Job']).toHaveProperty('properties.progressPermille');
    const lost = Object.entries(components.schemas).filter(([name, { $ref }]) =>
      String($ref).endsWith(`/${name}`),
    );
    expect(lost).toEqual([]);
  });
});

describe('a refused body', () => {
  const attach = () => gleaner.http.post('/v1/hosts');

  it.each([
    ['application/octet-stream', 'x'],
    ['application/wasm', 'x'],
    ['application/x-www-form-urlencoded', 'name=x'],
    ['nonsense', 'x'],
  ])('of type %s is told which types are read, before it is asked who calls', async (type, body) => {
    const refused = await attach().set('content-type', type).send(body).expect(415);
    expect(refused.body).toMatchObject({
      code: 'unsupported-media-type',
      detail: `Got ${type}; send Content-Type: application/json.`,
    });
    await gleaner.http.post('/v1/jobs').set('content-type', type).send(body).expect(415);
  });

  it('without a type is told so', async () => {
    const response = await fetch(new URL('/v1/hosts', gleaner.url), {
      method: 'POST',
      body: new Uint8Array([1]),
    });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({
      detail: 'Got a body without a Content-Type; send Content-Type: application/json.',
    });
  });

  it('of JSON is told what an endpoint of streams reads', async () => {
    const { token } = await aPerson(gleaner);
    for (const [method, path, type] of [
      ['post', '/v1/apps?project=p&name=a&version=1', 'application/wasm'],
      ['put', `/v1/blobs/sha256:${'0'.repeat(64)}`, 'application/octet-stream'],
    ] as const) {
      const refused = await gleaner.http[method](path)
        .set('authorization', `Bearer ${token}`)
        .set('content-type', 'text/plain')
        .send('x')
        .expect(415);
      expect(refused.body).toMatchObject({ detail: `Got text/plain; send Content-Type: ${type}.` });
    }
  });

  it('that is empty is told so', async () => {
    const untyped = await attach().expect(400);
    const typed = await attach().set('content-type', 'application/json').expect(400);
    for (const { body } of [untyped, typed]) {
      expect(body).toMatchObject({
        code: 'invalid-request',
        detail: 'The body is empty: send JSON with Content-Type: application/json.',
        errors: [{ pointer: '', detail: 'is missing' }],
      });
    }
  });

  it('that is too large is told how many bytes it may have', async () => {
    const { token } = await aPerson(gleaner);
    const refused = await gleaner.http
      .post('/v1/jobs')
      .set('authorization', `Bearer ${token}`)
      .set('content-type', 'application/json')
      .send(JSON.stringify('x'.repeat(LIMITS.bodyBytes)))
      .expect(413);
    expect(refused.body).toMatchObject({
      code: 'too-large',
      detail: `JSON in a body may have at most ${LIMITS.bodyBytes} bytes.`,
    });
  });
});

describe('a body of far more than anybody needs', () => {
  it.each([
    ['values', `[${'0,'.repeat(4_000_000)}0]`, 'must hold at most 250000 values'],
    ['levels', '['.repeat(8_000_000), 'must nest at most 32 levels deep'],
    [
      'fields',
      `{${Array.from({ length: 1_001 }, (_, at) => `"f${at}":0`).join(',')}}`,
      'must have at most 1000 fields',
    ],
  ])('is refused at once, however many %s it has', async (_what, body, detail) => {
    const { token } = await aPerson(gleaner);
    const refused = await gleaner.http
      .patch('/v1/accounts/me')
      .set('authorization', `Bearer ${token}`)
      .set('content-type', 'application/json')
      .send(body)
      .expect(400);
    expect(refused.body).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '', detail }] });
  });
});

describe('credentials', () => {
  it('are answered with what no proxy may keep for others: it cannot tell by a cookie', async () => {
    const { token } = await aPerson(gleaner);
    const asked = (path: string) => gleaner.http.get(path).set('cookie', `gleaner_session=${token}`);
    for (const path of ['/v1/accounts/me', '/v1/tokens', '/v1/hosts', '/v1/projects']) {
      const answer = await asked(path).expect(200);
      expect({ path, kept: answer.headers['cache-control'] }).toEqual({ path, kept: 'no-store' });
    }
    const refused = await asked('/v1/public/jobs/1').expect(404);
    expect(refused.headers['cache-control']).toBe('no-store');
  });

  it.each(['Basic YWRhOnNlY3JldA==', 'Bearer', 'gln_secret'])(
    'that are no token, as "%s", are told what is one',
    async (authorization) => {
      const refused = await gleaner.http.get('/v1/jobs').set('authorization', authorization).expect(401);
      expect(refused.headers['www-authenticate']).toBe('Bearer realm="gleaner", error="invalid_request"');
      expect(refused.body).toMatchObject({
        code: 'unauthorised',
        detail: 'The Authorization header holds no Bearer token: send "Authorization: Bearer gln_…".',
      });
    },
  );
});

describe('a large body', () => {
  /** More than a stranger may send, and not valid: who may send it is told so. */
  const body = JSON.stringify({ kind: 'x'.repeat(STRANGER_BODY_BYTES) });
  const attach = () => gleaner.http.post('/v1/hosts').set('content-type', 'application/json');

  it('is read only for those who have a token', async () => {
    const stranger = await attach().send(body).expect(413);
    expect(stranger.body).toMatchObject({
      code: 'too-large',
      detail: expect.stringContaining('sign in') as string,
    });
    await attach()
      .set('authorization', `Bearer gln_${'x'.repeat(43)}`)
      .send(body)
      .expect(401);
    const { token } = await aPerson(gleaner);
    const known = await attach().set('authorization', `Bearer ${token}`).send(body).expect(400);
    expect(known.body).toMatchObject({ code: 'invalid-request' });
    await attach()
      .send(body.slice(STRANGER_BODY_BYTES / 2))
      .expect(400);
  });

  it('of unknown length is read only for those who have a token', async () => {
    const { token } = await aPerson(gleaner);
    const send = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = httpRequest(
          `${gleaner.url}/v1/hosts`,
          { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        );
        request.on('error', reject);
        request.write('{');
        request.end('}');
      });
    expect(await send({})).toBe(413);
    expect(await send({ authorization: `Bearer ${token}` })).toBe(400);
  });

  it('is one of few of an account: memory is bounded by bytes, not by requests', async () => {
    const [busy, other] = [await aPerson(gleaner), await aPerson(gleaner)];
    const begun = new AbortController();
    /** Says that the largest body follows, and sends its first byte; resolves with the status of an early answer. */
    const begin = (): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = {
          'content-type': 'application/json',
          'content-length': String(LIMITS.bodyBytes),
          authorization: `Bearer ${busy.token}`,
        };
        const options = { method: 'POST', headers, signal: begun.signal };
        const request = httpRequest(`${gleaner.url}/v1/jobs`, options, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on('error', reject);
        request.write('{');
      });
    const waiting = Array.from({ length: 9 }, begin);
    expect(await Promise.any(waiting)).toBe(503);
    const send = async (token: string): Promise<number> => {
      const answer = await attach().set('authorization', `Bearer ${token}`).send(body);
      return answer.status;
    };
    expect(await send(busy.token)).toBe(503);
    expect(await send(other.token)).toBe(400);
    begun.abort();
    await Promise.allSettled(waiting);
    await expect.poll(() => send(busy.token)).toBe(400);
  });

  it('may be none at all, whatever its type is said to be', async () => {
    await gleaner.http.get('/v1/coordinator').set('content-type', 'application/json').expect(200);
  });
});
