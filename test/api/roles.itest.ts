import { afterEach, expect, it, vi } from 'vitest';
import { aPerson, clientWith, createTestApplication, type TestApplication } from '../support/index.js';

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
  await clientWith(second, first.operatorToken).get('/v1/accounts').expect(200);
  expect(
    await first.dataSource.query('SELECT count(*)::int AS operators FROM account WHERE operator'),
  ).toEqual([{ operators: 1 }]);
});

it('the first token is told where it was drawn, and not where the operator set it: logs are read by many', async () => {
  const drawn = await start({ GLEANER_OPERATOR_TOKEN: '' });
  await clientWith(drawn, String(drawn.coordinator.operatorToken)).get('/v1/accounts').expect(200);
  const set = await start({});
  expect(set.coordinator.operatorToken).toBeNull();
  await clientWith(set, set.operatorToken).get('/v1/accounts').expect(200);
});

it('a token revoked through one coordinator ends at the others at once, also after their connection broke', async () => {
  const first = await start({ GLEANER_ROLE: 'api' });
  const second = await start(
    { GLEANER_OPERATOR_TOKEN: first.operatorToken },
    String(first.config.databaseUrl),
  );
  const listeners = async (): Promise<number[]> => {
    const rows: Array<{ pid: number }> = await first.dataSource.query(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN gleaner_access' AND state = 'idle'",
    );
    return rows.map(({ pid }) => pid);
  };
  const untilBothListen = (but: readonly number[] = []): Promise<void> =>
    vi.waitFor(async () => expect((await listeners()).filter((pid) => !but.includes(pid))).toHaveLength(2), {
      timeout: 60_000,
      interval: 50,
    });
  /** Well below the time that an answer is remembered for. */
  const endsAtSecond = async (): Promise<void> => {
    const person = await aPerson(first);
    const there = clientWith(second, person.token);
    await there.get('/v1/accounts/me').expect(200);
    await first.dataSource.query('UPDATE api_token SET revoked_at = now() WHERE account_id = $1', [
      person.account.id,
    ]);
    await vi.waitFor(() => there.get('/v1/accounts/me').expect(401), { timeout: 30_000, interval: 50 });
  };

  await untilBothListen();
  await endsAtSecond();

  const broken = await listeners();
  await first.dataSource.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS l(pid)', [broken]);
  await untilBothListen(broken);
  await endsAtSecond();
});
