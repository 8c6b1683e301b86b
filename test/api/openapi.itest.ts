import { OPERATION_SUMMARIES } from '@gleaner/coordinator';
import { addScientist, createProject, createToken, jobVisibility, submitJob } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, type TestApplication } from '../support/index.js';

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

  it('shows what a scientist sends by examples that the coordinator would take', async () => {
    const document = openApi.parse((await gleaner.http.get('/v1/openapi.json').expect(200)).body);
    const examples = Object.values(document.paths)
      .flatMap((path) => Object.values(path))
      .map(({ operationId: id, requestBody }) => ({
        id,
        example: requestBody?.content['application/json']?.example,
      }))
      .filter(({ example }) => example !== undefined);
    const schemas: Record<string, z.ZodType> = {
      submitJob,
      estimateJob: submitJob,
      setJobVisibility: jobVisibility,
      createToken,
      createProject,
      addScientist,
    };
    expect(examples.map(({ id }) => id).toSorted()).toEqual(Object.keys(schemas).toSorted());
    for (const { id, example } of examples) {
      expect(schemas[id]?.safeParse(example), id).toMatchObject({ success: true });
    }
    const { text } = await gleaner.http.get('/v1/docs').expect(200);
    expect(text).toContain('&quot;app&quot;: &quot;words@1&quot;');
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
