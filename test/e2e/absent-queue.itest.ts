import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachedHost, job as jobSchema } from '@gleaner/protocol';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  aPerson,
  createTestApplication,
  operatorOf,
  startRedis,
  type TestApplication,
} from '../support/index.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, type Science } from './volunteering/science.js';

describe.skipIf(inject('redisUrl') === null)('while Redis is away', () => {
  let gleaner: TestApplication;
  let science: Science;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-redis-'));
    const redis = await startRedis(directory);
    if (!redis) throw new Error('Redis was there a moment ago');
    gleaner = await createTestApplication({ env: { REDIS_URL: redis.url } });
    science = await anApprovedApp(gleaner, 'hello', helloModule('hello\n').original);
    await redis.stop();
  });
  afterAll(async () => {
    await gleaner.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('jobs are submitted, cancelled and deleted all the same', async () => {
    const spec = {
      name: 'patient',
      app: science.app,
      split: [{ kind: 'range', name: 'n', from: 0, to: 3, step: 1 }],
    };
    const submitted = await science.scientist
      .post('/v1/jobs', { project: science.project, spec })
      .expect(202);
    const { id, state } = jobSchema.parse(submitted.body);
    expect(state).toBe('splitting');
    const cancelled = await science.scientist.post(`/v1/jobs/${id}/cancel`, {}).expect(200);
    expect(cancelled.body).toMatchObject({ state: 'cancelled' });
    await science.scientist.delete(`/v1/jobs/${id}`).expect(204);
  });

  it('anonymous work is claimed, and what it validated waits to be looked at', async () => {
    const ada = await aPerson(gleaner);
    const host = { name: 'laptop', kind: 'agent', cores: 4, memoryMiB: 8192 };
    const { accountId, secret } = attachedHost.parse(
      (await gleaner.http.post('/v1/hosts').send({ host })).body,
    );
    await ada.post('/v1/accounts/me/claims', { secret }).expect(200);
    const reviews: unknown[] = await gleaner.dataSource.query(
      'SELECT reviewed_at FROM link_review WHERE $1 = ANY (account_ids)',
      [accountId],
    );
    expect(reviews).toEqual([{ reviewed_at: null }]);
    await operatorOf(gleaner).get('/v1/accounts').expect(200);
  });
});
