import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attachedHost, job as jobSchema, PROTOCOL_VERSION, workResponse } from '@gleaner/protocol';
import { RUNTIME_VERSION } from '@gleaner/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aPerson,
  clientWith,
  createTestApplication,
  operatorOf,
  startRedis,
  type TestApplication,
  testRedisUrl,
} from '../support/index.js';
import { helloModule } from './agent-support/tiny-modules.js';
import { anApprovedApp, type Science } from './volunteering/science.js';

const POLL_MS = 100;

describe.skipIf(testRedisUrl() === null)('while Redis is away', () => {
  let gleaner: TestApplication;
  let worker: TestApplication;
  let science: Science;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-redis-'));
    const redis = await startRedis(directory);
    if (!redis) throw new Error('Redis was there a moment ago');
    gleaner = await createTestApplication({ env: { REDIS_URL: redis.url } });
    const { databaseUrl, dataDir } = gleaner.config;
    worker = await createTestApplication({
      env: { REDIS_URL: redis.url, GLEANER_ROLE: 'worker' },
      databaseUrl: databaseUrl ?? '',
      dataDir,
    });
    await worker.http.get('/health/ready').expect(200);
    science = await anApprovedApp(gleaner, 'hello', helloModule('hello\n').original);
    await redis.stop();
  });
  afterAll(async () => {
    await worker.close();
    await gleaner.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('requests are served, and whoever asks is told what is missing; a worker is not ready', async () => {
    const served = await gleaner.http.get('/health/ready').expect(200);
    expect(served.body).toMatchObject({ status: 'degraded', details: { queue: { status: 'degraded' } } });
    await worker.http.get('/health/live').expect(200);
    const ready = await worker.http.get('/health/ready').expect(503);
    expect(ready.body).toMatchObject({
      code: 'unavailable',
      detail: 'The queue is down: no answer within 2000 ms.',
    });
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
    const reason = async (): Promise<string | null> =>
      jobSchema.parse((await science.scientist.get(`/v1/jobs/${id}`).expect(200)).body).stateReason;
    await expect.poll(reason).toMatch(/queue.*is in trouble: it does not answer$/);
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

it.skipIf(testRedisUrl() === null)(
  'a coordinator ends although Redis takes back none of the tickets that it holds',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gleaner-redis-'));
    const redis = await startRedis(directory);
    if (!redis) throw new Error('Redis was there a moment ago');
    const gleaner = await createTestApplication({ env: { REDIS_URL: redis.url } });
    const science = await anApprovedApp(gleaner, 'hello', helloModule('hello\n').original);
    await takeOneOfManyTasks(gleaner, science);
    await redis.stop();
    await gleaner.close();
    await rm(directory, { recursive: true, force: true });
  },
);

/** A host asks until it is given a task; the tickets of the others stay in the coordinator's memory. */
async function takeOneOfManyTasks(gleaner: TestApplication, science: Science): Promise<void> {
  const split = [{ kind: 'range', name: 'n', from: 0, to: 500, step: 1 }];
  const spec = { name: 'many', app: science.app, split };
  await science.scientist.post('/v1/jobs', { project: science.project, spec }).expect(202);
  const person = await aPerson(gleaner, { scopes: ['work'] });
  const facts = { name: 'desk', kind: 'agent', cores: 1, memoryMiB: 256 };
  const attached = await clientWith(gleaner, person.token).post('/v1/hosts', { host: facts }).expect(201);
  const host = clientWith(gleaner, attachedHost.parse(attached.body).secret);
  const call = {
    protocol: PROTOCOL_VERSION,
    runtimeVersions: [RUNTIME_VERSION],
    request: { maxTasks: 1, memoryMiB: 256, cores: 1 },
  };
  for (;;) {
    const { tasks } = workResponse.parse((await host.post('/v1/work', call).expect(200)).body);
    if (tasks.length > 0) return;
    await delay(POLL_MS);
  }
}
