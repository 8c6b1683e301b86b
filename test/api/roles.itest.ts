import { job } from '@gleaner/protocol';
import { afterEach, expect, it, vi } from 'vitest';
import { helloModule } from '../e2e/agent-support/tiny-modules.js';
import { anApprovedApp } from '../e2e/volunteering/science.js';
import {
  aPerson,
  clientWith,
  createTestApplication,
  type TestApplication,
  TestHost,
} from '../support/index.js';

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

it('without a worker a coordinator is degraded and its jobs say what they wait for, until one is at work', async () => {
  const api = await start({ GLEANER_ROLE: 'api' });
  const { scientist, project, app } = await anApprovedApp(api, 'hello', helloModule('hello\n').original);
  const split = [{ kind: 'range', name: 'n', from: 0, to: 3, step: 1 }];
  const submitted = await scientist
    .post('/v1/jobs', { project, spec: { name: 'night', app, split } })
    .expect(202);
  const { id } = job.parse(submitted.body);
  const reason = async (): Promise<string | null> =>
    job.parse((await scientist.get(`/v1/jobs/${id}`).expect(200)).body).stateReason;

  await api.dataSource.query("UPDATE installation SET workers_seen_at = now() - interval '20 seconds'");
  expect(await reason()).toBeNull();
  await api.dataSource.query("UPDATE installation SET workers_seen_at = '2026-11-21T12:00:00Z'");
  expect(await reason()).toBe(
    "the coordinator's worker, which splits, checks and merges, has not been at work since 2026-11-21T12:00:00.000Z",
  );
  const alone = await api.http.get('/health/ready').expect(200);
  expect(alone.body).toMatchObject({
    status: 'degraded',
    details: {
      workers: { status: 'degraded', message: 'none has been at work since 2026-11-21T12:00:00.000Z' },
    },
  });

  await start({ GLEANER_ROLE: 'worker' }, String(api.config.databaseUrl));
  expect(await reason()).toBeNull();
  expect((await api.http.get('/health/ready').expect(200)).body).toMatchObject({
    details: { workers: { status: 'up' } },
  });
});

it('a database that answers a ping and nothing else is down', async () => {
  const api = await start({ GLEANER_ROLE: 'api' });
  await api.dataSource.transaction(async (manager) => {
    await manager.query('LOCK TABLE installation');
    expect((await api.http.get('/health/ready').expect(503)).body).toMatchObject({
      detail: 'The database is down: no answer within 2000 ms.',
    });
  });
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

it('what an owner wishes through one coordinator a host hears when it next calls another', async () => {
  const first = await start({ GLEANER_ROLE: 'api' });
  const second = await start(
    { GLEANER_OPERATOR_TOKEN: first.operatorToken },
    String(first.config.databaseUrl),
  );
  const person = await aPerson(first);
  const host = await TestHost.attach(first.url, { token: person.token });
  host.url = second.url;
  expect((await host.work()).wishes).toBeUndefined();
  await person
    .patch(`/v1/hosts/${host.attached.hostId}`)
    .set('if-match', '*')
    .send({ run: 'pause' })
    .expect(200);
  // Well below the time that a host is remembered for.
  await vi.waitFor(async () => expect((await host.work()).wishes?.run).toBe('pause'), {
    timeout: 10_000,
    interval: 50,
  });
});
