import { WorkersSeen } from '@gleaner/coordinator';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApplication, operatorOf, type TestApplication } from '../support/index.js';

let api: TestApplication;
beforeAll(async () => {
  api = await createTestApplication({ env: { GLEANER_ROLE: 'api' } });
});
afterAll(() => api.close());

it('a locked table keeps nobody else waiting, however often it is asked and told whether a worker is at work', async () => {
  const seen = api.app.get(WorkersSeen);
  const calls = await api.dataSource.transaction(async (manager) => {
    await manager.query('LOCK TABLE installation');
    const begun: Array<Promise<unknown>> = [];
    for (let n = 0; n < 2 * api.config.databaseConnections; n += 1) begun.push(seen.goneSince(), seen.note());
    // Whoever watches health asks on, and others go on working.
    await api.http.get('/health/ready').expect(503);
    await operatorOf(api).get('/v1/accounts').expect(200);
    return begun;
  });
  await Promise.all(calls);
  await api.http.get('/health/ready').expect(200);
});

it('whoever would wait for a connection without end is told that all are in use', async () => {
  const taken = Array.from({ length: api.config.databaseConnections }, () =>
    api.dataSource.createQueryRunner(),
  );
  try {
    await Promise.all(taken.map((runner) => runner.connect()));
    const refused = await operatorOf(api).get('/v1/accounts').expect(503);
    expect(refused.body).toMatchObject({
      code: 'server-busy',
      detail: expect.stringMatching(/All connections to the database are in use/) as string,
    });
  } finally {
    await Promise.all(taken.map((runner) => runner.release()));
  }
  await operatorOf(api).get('/v1/accounts').expect(200);
});
