import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestApplication, type TestApplication } from '../support/index.js';

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
