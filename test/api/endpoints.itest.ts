import { request as httpRequest } from 'node:http';
import { LIMITS, problem, type Problem } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, type TestApplication, TestHost } from '../support/index.js';

/* What holds for every endpoint is tested on every endpoint, by the document that lists them. */

/** Those that need no token. */
const PUBLIC = [
  'attachHost',
  'followPublicJob',
  'getApp',
  'getBoard',
  'getBoardRow',
  'getCoordinator',
  'getModule',
  'getProject',
  'getPublicJob',
  'getPublicOutput',
  'getSession',
  'getStatisticsHistory',
  'getStats',
  'getStatus',
  'getTeam',
  'listApps',
  'listProjects',
  'listPublicJobs',
  'listTeamMembers',
  'listTeams',
  'live',
  'rankAccounts',
  'rankHosts',
  'ready',
  'redeemDeviceCode',
  'requestDeviceCode',
  'requestPasswordReset',
  'resetPassword',
  'signIn',
  'signOut',
  'signUp',
];

interface Operation {
  readonly id: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly takesJson: boolean;
  readonly takesBody: boolean;
  readonly pathParameters: readonly string[];
  /** It wants headers of a protocol of its own, whose absence is told first. */
  readonly wantsHeaders: boolean;
}

const document = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        parameters: z
          .array(z.object({ in: z.string(), name: z.string(), required: z.boolean().default(false) }))
          .default([]),
        requestBody: z.object({ content: z.record(z.string(), z.unknown()) }).optional(),
      }),
    ),
  ),
});

let gleaner: TestApplication;
let operations: readonly Operation[];
let hostToken: string;

beforeAll(async () => {
  gleaner = await createTestApplication({ env: { GLEANER_ANONYMOUS_REQUESTS_PER_MINUTE: '100000' } });
  hostToken = (await TestHost.attach(gleaner.url)).attached.secret;
  const { paths } = document.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters, requestBody }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path,
      takesJson: requestBody?.content['application/json'] !== undefined,
      takesBody: requestBody !== undefined,
      pathParameters: parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name),
      wantsHeaders: parameters.some((parameter) => parameter.in === 'header' && parameter.required),
    })),
  );
});
afterAll(() => gleaner.close());

interface Call {
  readonly token?: string;
  readonly type?: string;
  readonly body?: string;
  /** Says that the body is longer than what is sent. */
  readonly declaredBytes?: number;
}

interface Answer {
  readonly status: number;
  /** null for an answer that is none. */
  readonly problem: Problem | null;
}

function call(
  { method }: Operation,
  path: string,
  { token, type, body, declaredBytes }: Call,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': type ?? 'application/json' }),
      ...(body === undefined ? {} : { 'content-length': declaredBytes ?? Buffer.byteLength(body) }),
    };
    const request = httpRequest(gleaner.url + path, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => {
        const isProblem = response.headers['content-type']?.startsWith('application/problem+json') ?? false;
        resolve({
          status: response.statusCode ?? 0,
          // The answer to HEAD has none to show.
          problem: isProblem && method !== 'HEAD' ? problem.parse(JSON.parse(text)) : null,
        });
        request.destroy();
      });
    });
    request.on('error', reject);
    if (body !== undefined) request.write(body);
    if (declaredBytes === undefined) request.end();
  });
}

/** With every parameter filled in; what it names does not exist. */
function anAddress(
  { path, pathParameters }: Operation,
  values: Readonly<Record<string, string>> = {},
): string {
  const usual: Readonly<Record<string, string>> = {
    blobId: `sha256:${'0'.repeat(64)}`,
    sha256: '0'.repeat(64),
    kind: 'accounts',
    name: 'stdout',
    taskId: '9007199254740.0',
    userCode: 'BCDF-GHJK',
  };
  return pathParameters.reduce(
    (address, name) =>
      address.replace(`{${name}}`, encodeURIComponent(values[name] ?? usual[name] ?? '999999')),
    path,
  );
}

/** As whoever may call it: the operator, or a host. */
async function callAsAllowed(operation: Operation, path: string, request: Call): Promise<Answer> {
  const answer = await call(operation, path, { ...request, token: gleaner.operatorToken });
  return answer.status === 403 ? call(operation, path, { ...request, token: hostToken }) : answer;
}

/** The same of each operation, by its name. */
async function ofEach<T>(
  some: readonly Operation[],
  look: (operation: Operation) => Promise<T>,
): Promise<Record<string, T>> {
  const found: Record<string, T> = {};
  for (const operation of some) found[operation.id] = await look(operation);
  return found;
}

const allThe = <T>(some: readonly Operation[], value: T): Record<string, T> =>
  Object.fromEntries(some.map(({ id }) => [id, value]));

describe('every endpoint', () => {
  it('wants a token, but for those that everybody may call', async () => {
    const answers = await ofEach(operations, (operation) => call(operation, anAddress(operation), {}));
    const open = Object.entries(answers).filter(([, { status }]) => status !== 401);
    expect(open.map(([id]) => id).toSorted()).toEqual(PUBLIC);
    for (const [id, { problem: document }] of Object.entries(answers)) {
      const isWithoutBody = operations.some((one) => one.id === id && one.method === 'HEAD');
      if (!PUBLIC.includes(id) && !isWithoutBody) expect(document?.code, id).toBe('unauthorised');
    }
  });

  it.each([
    ['is not JSON', { body: '{"name": ' }, 400, 'malformed-json'],
    ['is of another type', { body: 'name=x', type: 'text/plain' }, 415, 'unsupported-media-type'],
    ['is of any bytes', { body: 'x', type: 'application/octet-stream' }, 415, 'unsupported-media-type'],
    ['is a module', { body: 'x', type: 'Application/WASM; a=b' }, 415, 'unsupported-media-type'],
    ['is too large', { body: '{', declaredBytes: LIMITS.bodyBytes + 1 }, 413, 'too-large'],
    ['is a list', { body: '[]' }, 400, 'invalid-request'],
  ])('that takes JSON refuses a body that %s', async (_what, request, status, code) => {
    const taking = operations.filter(({ takesJson }) => takesJson);
    expect(taking.length).toBeGreaterThan(30);
    const answers = await ofEach(taking, async (operation) => {
      const answer = await callAsAllowed(operation, anAddress(operation), request);
      return [answer.status, answer.problem?.code];
    });
    expect(answers).toEqual(allThe(taking, [status, code]));
  });

  it('that takes JSON refuses a field that it does not know, and says where', async () => {
    const taking = operations.filter(({ takesJson }) => takesJson);
    const answers = await ofEach(taking, async (operation) => {
      const body = JSON.stringify({ 'no-such-field': 1 });
      const { status, problem: document } = await callAsAllowed(operation, anAddress(operation), { body });
      return [status, document?.errors?.some(({ pointer }) => pointer === '/no-such-field')];
    });
    expect(answers).toEqual(allThe(taking, [400, true]));
  });

  it('refuses a malformed part of its address, and says which', async () => {
    // Of the others the missing body is told first; a code that is none leads nowhere, as one that is over.
    const addressed = operations.filter(
      ({ id, takesJson, wantsHeaders, pathParameters }) =>
        pathParameters.length > 0 && !takesJson && !wantsHeaders && id !== 'getWaitingDevice',
    );
    expect(addressed.length).toBeGreaterThan(20);
    const answers = await ofEach(addressed, async (operation) => {
      const pointers = operation.pathParameters.map(async (name) => {
        const path = anAddress(operation, { [name]: '~' });
        const { problem: document } = await callAsAllowed(operation, path, {});
        return document?.errors?.map(({ pointer }) => pointer);
      });
      return Promise.all(pointers);
    });
    expect(answers).toEqual(
      Object.fromEntries(
        addressed.map(({ id, pathParameters }) => [id, pathParameters.map((name) => [`/${name}`])]),
      ),
    );
  });

  it('refuses a question that it does not understand, and says which', async () => {
    const asked = operations.filter(({ path, wantsHeaders }) => path.startsWith('/v1/') && !wantsHeaders);
    expect(asked.length).toBeGreaterThan(80);
    const answers = await ofEach(asked, async (operation) => {
      const path = `${anAddress(operation)}?no-such-question=1`;
      const { status, problem: document } = await callAsAllowed(operation, path, {});
      return [status, document?.errors?.some(({ pointer }) => pointer === '/no-such-question')];
    });
    expect(answers).toEqual(allThe(asked, [400, true]));
  });

  it('that takes no body refuses fields of one, and says which', async () => {
    const commands = operations.filter(
      ({ method, takesBody, wantsHeaders }) =>
        !['GET', 'HEAD'].includes(method) && !takesBody && !wantsHeaders,
    );
    expect(commands.length).toBeGreaterThan(10);
    const answers = await ofEach(commands, async (operation) => {
      const body = JSON.stringify({ 'no-such-field': 1 });
      const { status, problem: document } = await callAsAllowed(operation, anAddress(operation), { body });
      return [status, document?.errors?.map(({ pointer }) => pointer)];
    });
    expect(answers).toEqual(allThe(commands, [400, ['/no-such-field']]));
  });
});
