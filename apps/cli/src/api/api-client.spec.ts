import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { apiOf } from '../common-options.js';
import { VERSION } from '../version.js';

let server: Server | undefined;
beforeEach(() => {
  vi.stubEnv('GLEANER_TOKEN', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  vi.restoreAllMocks();
  server?.close();
  server = undefined;
});

async function serving(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

describe('calling a coordinator', () => {
  it.each([
    ['the token of a guide', { token: 'gln_…' }, 'copy it anew'],
    [
      'a user and a password',
      { url: 'https://ada:secret@gleaner.example/x' },
      'write https://gleaner.example/x',
    ],
    ['a page with a question', { url: 'https://gleaner.example/?page=2' }, 'write https://gleaner.example/'],
  ])('with %s says what is wrong with it, and does not repeat a secret', (_what, options, said) => {
    expect(() => apiOf(options)).toThrow(said);
    expect(() => apiOf(options)).not.toThrow('secret');
  });

  it('leaves out the line end that a token came with', () => {
    expect(apiOf({ token: 'gln_x\r\n' }).target.token).toBe('gln_x');
  });

  it('takes no other address than the one it was told, and says which that would be', async () => {
    const url = await serving((request, response) => {
      response.writeHead(301, { location: `https://gleaner.example${request.url ?? ''}` }).end();
    });
    await expect(apiOf({ url, token: 'gln_x' }).send('/v1/jobs', { method: 'POST' })).rejects.toMatchObject({
      message: `${url} sends its callers on to https://gleaner.example: where that is the coordinator, name it with --url or GLEANER_URL`,
      exitCode: 5,
    });
  });

  it.each([
    ['a page', { 'content-type': 'text/html; charset=utf-8' }, '<html>Sign in'],
    ['nothing', {}, ''],
  ])(
    'that answers with %s says what an address is, and takes nothing for done',
    async (_what, headers, body) => {
      const url = await serving((_request, response) => response.writeHead(200, headers).end(body));
      const said = /answered as a page does, .* such as https:\/\/gleaner.example\. .* sign in first$/;
      const api = apiOf({ url: `${url}/jobs/2` });
      await expect(api.request('/v1/jobs', z.object({}))).rejects.toThrow(said);
      await expect(api.order('/v1/tokens/3', { method: 'DELETE' })).rejects.toThrow(said);
    },
  );

  it('whose answer breaks off is not told that it was a page', async () => {
    const url = await serving((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"id":', () => response.socket?.end());
    });
    await expect(apiOf({ url }).request('/v1/jobs', z.object({}))).rejects.toMatchObject({
      message: expect.stringMatching(
        /^The answer of .*\/v1\/jobs broke off \(.+\): what was asked for may be done/,
      ) as string,
      exitCode: 5,
    });
  });

  it('without a token that is valid is told where one goes, or comes from', async () => {
    const problem = {
      type: 'about:blank',
      title: 'A valid token is needed',
      status: 401,
      code: 'unauthorised',
    };
    const url = await serving((_request, response) => response.writeHead(401).end(JSON.stringify(problem)));
    const where = 'Give your token with --token or in GLEANER_TOKEN.';
    await expect(apiOf({ url }).send('/v1/jobs')).rejects.toThrow(where);
    const refused = apiOf({ url, token: 'gln_x' }).send('/v1/jobs');
    await expect(refused).rejects.not.toThrow(where);
    await expect(refused).rejects.toThrow(/^Make another on the website .*GLEANER_TOKEN\.$/m);
  });

  it('that is away behind its proxy is not taken for something else', async () => {
    const url = await serving((_request, response) => response.writeHead(502).end('<html>'));
    await expect(apiOf({ url }).send('/v1/jobs')).rejects.toMatchObject({
      message: `${url} answered 502, as a proxy does whose coordinator is away: try again later, or ask whoever runs it`,
      exitCode: 5,
    });
  });

  it.each([
    [401, 'as a proxy does that lets only some through'],
    [403, 'as a proxy does that lets only some through'],
    [413, 'as a proxy does that lets nothing so large through'],
    [429, 'as a proxy does that is called too often: try again later'],
    [500, 'as a proxy does whose coordinator is away'],
    [404, 'is no Gleaner coordinator: look whether --url or GLEANER_URL names one'],
    [501, 'is no Gleaner coordinator: look whether --url or GLEANER_URL names one'],
  ])('behind a proxy that answers %i itself is told what that may mean', async (status, said) => {
    const url = await serving((_request, response) => response.writeHead(status).end('<html>'));
    const called = apiOf({ url, token: 'gln_x' }).send('/v1/apps', { method: 'POST' });
    await expect(called).rejects.toThrow(said);
    await expect(called).rejects.toMatchObject({ exitCode: 5 });
  });

  it.each([
    ['POST', 'what was asked for may be done all the same'],
    ['GET', 'try again'],
  ] as const)(
    'that takes a %s and breaks off is not taken for one that is not there',
    async (method, then) => {
      const url = await serving((_request, response) => response.destroy());
      await expect(apiOf({ url }).send('/v1/jobs', { method })).rejects.toMatchObject({
        message: expect.stringMatching(
          new RegExp(`^${url} broke off before it answered \\(.+\\): ${then}$`),
        ) as string,
        exitCode: 5,
      });
    },
  );

  it('that takes long to answer is waited for, and that is told', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const asked = Promise.withResolvers<ServerResponse>();
    const url = await serving((_request, response) => asked.resolve(response));
    const answer = apiOf({ url }).send('/v1/jobs');
    const response = await asked.promise;
    vi.advanceTimersByTime(10_000);
    expect(told).toHaveBeenCalledWith(`${url} has not answered for 10 s: still waiting\n`);
    response.end('[]');
    expect((await answer).status).toBe(200);
  });

  it('whose refusal breaks off is not taken for something else', async () => {
    const url = await serving((_request, response) => {
      response.writeHead(409, { 'content-length': '1000' });
      response.write('{"code":', () => response.socket?.end());
    });
    await expect(apiOf({ url }).send('/v1/jobs')).rejects.toThrow(/^The answer of .*\/v1\/jobs broke off/);
  });

  it.each([
    [
      'another version',
      { info: { title: 'Gleaner', version: '0.0.9' } },
      /is of version 0\.0\.9: use the command/,
    ],
    [
      'another state',
      { info: { title: 'Gleaner', version: VERSION } },
      /one of the two is older .*bring both up/,
    ],
    [
      'something else',
      { info: { title: 'Petstore', version: '1' } },
      /Nobody there says .*--url or GLEANER_URL/,
    ],
  ])('of %s is told what to do, also where it answers with a list', async (_what, document, said) => {
    const url = await serving(({ url: path }, response) =>
      response.end(
        JSON.stringify(
          path === '/v1/openapi.json' ? document : { items: [{ title: 'a' }], nextCursor: null },
        ),
      ),
    );
    const listing = apiOf({ url }).list('/v1/jobs', z.object({ name: z.string() }), 50);
    await expect(listing).rejects.toThrow(said);
    await expect(listing).rejects.toMatchObject({
      name: 'CliError',
      message: expect.stringMatching(
        /\/v1\/jobs\?limit=50 answered something else than this command, .*\n.*items\[0\]\.name$/,
      ) as string,
      exitCode: 5,
    });
  });

  it('for a long list takes few pages, and no more than is asked for', async () => {
    const asked: string[] = [];
    const url = await serving((request, response) => {
      asked.push(request.url ?? '');
      const { searchParams } = new URL(request.url ?? '', 'http://here');
      const from = Number(searchParams.get('cursor') ?? 0);
      const items = Array.from({ length: Number(searchParams.get('limit')) }, (_, at) => from + at);
      response.end(JSON.stringify({ items, nextCursor: `${from + items.length}` }));
    });
    const items = await apiOf({ url }).list('/v1/units', z.number(), 450, { state: 'failed' });
    expect(items).toEqual(Array.from({ length: 450 }, (_, at) => at));
    expect(asked).toEqual([
      '/v1/units?state=failed&limit=200',
      '/v1/units?state=failed&limit=200&cursor=200',
      '/v1/units?state=failed&limit=50&cursor=400',
    ]);
  });

  it('takes no more pages of a list than its reader wants', async () => {
    let asked = 0;
    const url = await serving((_request, response) => {
      asked += 1;
      response.end(JSON.stringify({ items: [asked], nextCursor: `${asked}` }));
    });
    for await (const page of apiOf({ url }).pages('/v1/units', z.number(), 1000)) if (page[0] === 2) break;
    expect(asked).toBe(2);
  });

  it('waits for its turn where it calls too often, and not for one that is far away', async () => {
    const problem = { type: 'about:blank', title: 'Too many requests', status: 429, code: 'rate-limited' };
    const waits = ['0', '0', '3600'];
    const url = await serving((request, response) => {
      const seconds = waits.shift();
      if (seconds === undefined) response.end('[]');
      else response.writeHead(429, { 'retry-after': seconds }).end(JSON.stringify(problem));
    });
    await expect(apiOf({ url }).send('/v1/jobs')).rejects.toThrow('Too many requests');
    waits.push('0', '0');
    expect(await apiOf({ url }).request('/v1/jobs', z.array(z.string()))).toEqual([]);
  });
});
