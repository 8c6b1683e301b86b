import { OPERATION_PROBLEMS, OPERATION_SUMMARIES, REQUEST_EXAMPLES } from '@gleaner/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, type TestApplication } from '../support/index.js';
import { worldOfTheExamples } from './world-of-the-examples.js';

let gleaner: TestApplication;
beforeAll(async () => {
  gleaner = await createTestApplication();
});
afterAll(() => gleaner.close());

const operation = z.object({
  operationId: z.string(),
  summary: z.string().optional(),
  requestBody: z
    .object({ content: z.record(z.string(), z.object({ example: z.unknown().optional() })) })
    .optional(),
  responses: z.record(z.string(), z.unknown()),
});
const openApi = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member] : references(member),
  );
}

describe('the OpenAPI document', () => {
  it('is version 3.1, names every operation once, and resolves every reference', async () => {
    const response = await gleaner.http.get('/v1/openapi.json').expect(200);
    const document = openApi.parse(response.body);
    expect(document.openapi).toBe('3.1.0');
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ['submitJob', 'publishApp', 'attachHost', 'rankAccounts', 'listAccounts']) {
      expect(ids).toContain(id);
    }
    const known = new Set(
      Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`),
    );
    expect(references(response.body).filter((reference) => !known.has(reference))).toEqual([]);
    expect(known.size).toBeGreaterThan(20);
  });

  it('says of every operation what it does, and of nothing else', async () => {
    const document = openApi.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
    const said = Object.values(document.paths)
      .flatMap((path) => Object.values(path))
      .map(({ operationId, summary }) => [operationId, summary]);
    expect(Object.fromEntries(said)).toEqual(OPERATION_SUMMARIES);
  });

  it('says of what is sent as content of which type it is', async () => {
    const { paths } = openApi.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
    const types = Object.values(paths)
      .flatMap((path) => Object.values(path))
      .map(({ operationId, requestBody }) => [operationId, Object.keys(requestBody?.content ?? {})] as const)
      .filter(([, content]) => content.some((type) => type !== 'application/json'));
    expect(Object.fromEntries(types)).toEqual({
      publishApp: ['application/wasm'],
      putBlob: ['application/octet-stream'],
      putOutput: ['application/octet-stream'],
      sendUploadPart: ['application/offset+octet-stream'],
    });
  });

  it('shows what is sent by examples that the coordinator takes', async () => {
    const document = openApi.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
    const examples = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { operationId: id, requestBody }]) => {
        const example = requestBody?.content['application/json']?.example;
        return example === undefined ? [] : [{ id, method, path, example }];
      }),
    );
    expect(examples.map(({ id }) => id).toSorted()).toEqual(Object.keys(REQUEST_EXAMPLES).toSorted());
    const { idsOf, tokenOf } = await worldOfTheExamples(gleaner);
    const refused: unknown[] = [];
    for (const { id, method, path, example } of examples) {
      const address = gleaner.url + path.replace(/\{\w+\}/, idsOf(path));
      const body = id === 'addScientist' ? { accountId: idsOf('/v1/accounts/{id}') } : example;
      const authorization = `Bearer ${tokenOf(id)}`;
      const read = method === 'patch' ? await fetch(address, { headers: { authorization } }) : null;
      const headers = {
        authorization,
        'content-type': 'application/json',
        'if-match': read?.headers.get('etag') ?? '*',
      };
      const answer = await fetch(address, {
        method: method.toUpperCase(),
        headers,
        body: JSON.stringify(body),
      });
      if (!answer.ok) refused.push([id, answer.status, await answer.text()]);
    }
    expect(refused).toEqual([]);
    const { text } = await gleaner.http.get('/v1/docs').expect(200);
    expect(text).toContain('&quot;app&quot;: &quot;words@1&quot;');
  });

  it('says what the problems mean that an operation has of its own, and under which status', async () => {
    const document = openApi.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const known = operations.map(({ operationId }) => operationId);
    expect(Object.keys(OPERATION_PROBLEMS).filter((id) => !known.includes(id))).toEqual([]);
    const publishing = operations.find(({ operationId }) => operationId === 'publishApp');
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    expect(publishing?.responses).toMatchObject({
      403: {
        description:
          '`forbidden`: the caller is no scientist of the project; `project-not-approved`: an operator has to approve the project first',
        content,
      },
      422: { content },
    });
    const { text } = await gleaner.http.get('/v1/docs').expect(200);
    expect(text).toContain('an operator has to approve the project first');
    expect(text).toContain('with the same one again the first job is answered');
  });

  it('says of what is answered as bytes of which type they are', async () => {
    const { paths } = openApi.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
    const isBytes = z.looseObject({
      content: z.record(z.string(), z.object({ schema: z.object({ format: z.literal('binary') }) })),
    });
    const bytes = Object.values(paths)
      .flatMap((path) => Object.values(path))
      .flatMap(({ operationId, responses }) => {
        const types = ['200', '206'].map((status) =>
          Object.keys(isBytes.safeParse(responses[status]).data?.content ?? {}),
        );
        return types.some((type) => type.length > 0)
          ? [[operationId, [...types, '304' in responses]] as const]
          : [];
      });
    const octets = ['application/octet-stream'];
    expect(Object.fromEntries(bytes)).toEqual({
      getContent: [octets, octets, true],
      getModule: [['application/wasm'], ['application/wasm'], true],
      getOutput: [octets, octets, true],
      getPublicOutput: [octets, octets, true],
    });
  });

  it('says of every operation what its problems look like', async () => {
    const { paths, components } = openApi.parse(
      (await gleaner.http.get('/v1/openapi.json').expect(200)).body,
    );
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    for (const { operationId, responses } of Object.values(paths).flatMap((path) => Object.values(path))) {
      expect(responses['default'], operationId).toMatchObject({ content });
    }
    expect(components.schemas['Problem']).toMatchObject({ required: ['type', 'title', 'status', 'code'] });
  });

  it('has a page for people, of every operation and type, that needs nothing from elsewhere', async () => {
    const { text, headers } = await gleaner.http.get('/v1/docs').expect(200);
    expect(headers['content-type']).toContain('text/html');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(text).not.toMatch(/<(script|img|iframe)[^>]* src=|<link[^>]* href="(?!data:)|@import|url\(/);
    const document = openApi.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, methods] of Object.entries(document.paths)) {
      expect(text).toContain(`<code>${path}</code>`);
      for (const { operationId } of Object.values(methods)) expect(ids).toContain(`operation-${operationId}`);
    }
    for (const name of Object.keys(document.components.schemas)) expect(ids).toContain(`type-${name}`);
    // Every link within it leads somewhere.
    const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target ?? '');
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
    await gleaner.http.get('/v1/docs/').redirects(1).expect(200);
  });
});
