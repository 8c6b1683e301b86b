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

  it('has a page that needs nothing from elsewhere', async () => {
    const page = await gleaner.http.get('/v1/docs').redirects(1).expect(200);
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '');
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      expect(source).not.toMatch(/^(https?:)?\/\//);
      await gleaner.http.get(new URL(source, 'http://local/v1/docs/').pathname).expect(200);
    }
  });
});
