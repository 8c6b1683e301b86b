import { once } from 'node:events';
import { connect } from 'node:net';
import { problem, type Problem } from '@gleaner/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApplication, type TestApplication } from '../support/index.js';

/* Requests that no client library would send, byte by byte: whatever is wrong, the answer has the one form. */

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

interface RawAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly problem: Problem;
}

/** Sends bytes and reads until the coordinator ends the connection. */
async function send(request: string): Promise<string> {
  const { hostname, port } = new URL(gleaner.url);
  const socket = connect(Number(port), hostname).setEncoding('utf8');
  let text = '';
  socket.on('data', (part: string) => (text += part));
  socket.write(request);
  await once(socket, 'close');
  return text;
}

async function ask(request: string): Promise<RawAnswer> {
  const answer = await send(request);
  const end = answer.indexOf('\r\n\r\n');
  const [line = '', ...headers] = answer.slice(0, end).split('\r\n');
  const type = headers.find((header) => /^content-type:/i.test(header))?.slice('content-type:'.length);
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]),
    type: type?.trim(),
    problem: problem.parse(JSON.parse(answer.slice(end + 4))),
  };
}

const END = 'Host: x\r\nConnection: close\r\n\r\n';
const LONG = 'x'.repeat(20_000);
const POST = 'POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

it.each([
  ['a malformed escape', `GET /v1/%zz HTTP/1.1\r\n${END}`, 400, 'malformed-request', /malformed escape/],
  [
    'a part that is too long',
    `DELETE /v1/tokens/${'7'.repeat(500)} HTTP/1.1\r\n${END}`,
    414,
    'uri-too-long',
    /200 characters/,
  ],
  ['an address that is too long', `GET /${LONG} HTTP/1.1\r\n${END}`, 431, 'headers-too-large', /16384 bytes/],
  [
    'a header that is too long',
    `GET /v1/status HTTP/1.1\r\nX: ${LONG}\r\n${END}`,
    431,
    'headers-too-large',
    /16384 bytes/,
  ],
  ['no HTTP', 'what is this?\r\n\r\n', 400, 'malformed-request', /no HTTP\/1\.1 request/],
  [
    'a chunk that is none',
    `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    400,
    'malformed-request',
    /chunk size/,
  ],
  [
    'two lengths',
    `${POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`,
    400,
    'malformed-request',
    /Content-Length/,
  ],
  [
    'two of Host',
    'GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n',
    400,
    'malformed-request',
    /Host once/,
  ],
  [
    'much JSON for uploads',
    `POST /v1/uploads HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n${END}`,
    413,
    'too-large',
    /Without a token/,
  ],
  [
    'much JSON for a page',
    `GET / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n${END}`,
    413,
    'too-large',
    /Without a token/,
  ],
  [
    'an upload of no content type',
    `POST /v1/uploads HTTP/1.1\r\nContent-Type: ;;;\r\nContent-Length: 0\r\n${END}`,
    415,
    'unsupported-media-type',
    /Got ;;;; send Content-Type: application\/offset\+octet-stream/,
  ],
  [
    'a compressed body',
    `POST /v1/session/sign-in HTTP/1.1\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n${END}{}`,
    415,
    'unsupported-media-type',
    /without Content-Encoding/,
  ],
  ['NUL in a search', `GET /v1/boards/hosts?q=%00 HTTP/1.1\r\n${END}`, 400, 'invalid-request', /form/],
  ['NUL in a search of teams', `GET /v1/teams?q=a%00 HTTP/1.1\r\n${END}`, 400, 'invalid-request', /form/],
  [
    'NUL in a code',
    `POST /v1/session/password HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 45\r\n${END}{"code": "a\\u0000b", "password": "password1"}`,
    400,
    'invalid-request',
    /form/,
  ],
  ['no Host', 'GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed-request', /Host/],
  [
    'an unknown expectation',
    `GET /v1/status HTTP/1.1\r\nExpect: foo\r\n${END}`,
    417,
    'expectation-failed',
    /100-continue/,
  ],
  ['an address of no path', `GET *v1 HTTP/1.1\r\n${END}`, 404, 'not-found', /\*v1/],
] as const)(
  'a request with %s is answered by a problem document',
  async (_what, request, status, code, detail) => {
    const answer = await ask(request);
    expect(answer).toMatchObject({
      status,
      type: 'application/problem+json; charset=utf-8',
      problem: { status, code, detail: expect.stringMatching(detail) as string },
    });
    expect(answer.problem.instance).toMatch(/^urn:gleaner:request:[0-9a-f-]{36}$/);
  },
);

it('a request of HTTP/1.0 needs no Host', async () => {
  expect(await send('GET /health/live HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
});

it('a Host that is no name matters to nobody', async () => {
  const upload = `POST /v1/uploads HTTP/1.1\r\nHost: [bad host\r\nAuthorization: Bearer ${gleaner.operatorToken}\r\n`;
  const answer = await send(
    `${upload}Tus-Resumable: 1.0.0\r\nUpload-Length: 3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  );
  expect(answer).toMatch(/^HTTP\/1\.1 201 /);
  expect(answer).toMatch(/^location: \/v1\/uploads\/\d+-[0-9a-f]{32}\r$/im);
});
