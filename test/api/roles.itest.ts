import { afterEach, expect, it } from 'vitest';
import { clientWith, createTestApplication, type TestApplication } from '../support/index.js';

const running: TestApplication[] = [];
afterEach(async () => {
  for (const gleaner of running.splice(0)) await gleaner.close();
});

async function start(env: Readonly<Record<string, string>>, databaseUrl?: string): Promise<TestApplication> {
  const gleaner = await createTestApplication({ env, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  running.unshift(gleaner);
  return gleaner;
}

it('a worker serves health and metrics, and nothing of the API', async () => {
  const worker = await start({ GLEANER_ROLE: 'worker' });
  await worker.http.get('/health/ready').expect(200);
  await worker.http.get('/metrics').expect(200);
  await worker.http.get('/v1/projects').expect(404);
  await worker.http.post('/v1/hosts').send({}).expect(404);
});

it('coordinators on one database have one operator, and each knows the tokens of the other', async () => {
  const first = await start({ GLEANER_ROLE: 'api' });
  const second = await start(
    { GLEANER_OPERATOR_TOKEN: first.operatorToken },
    String(first.config.databaseUrl),
  );
  expect(first.coordinator.operatorToken).toBe(first.operatorToken);
  expect(second.coordinator.operatorToken).toBeNull();
  await clientWith(second, first.operatorToken).get('/v1/accounts').expect(200);
  expect(
    await first.dataSource.query('SELECT count(*)::int AS operators FROM account WHERE operator'),
  ).toEqual([{ operators: 1 }]);
});
