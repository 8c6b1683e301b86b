import { randomUUID } from 'node:crypto';
import {
  BackendAgreement,
  ConfigError,
  QueueService,
  readInstallation,
  SWARM_BOARD,
  type SwarmBoard,
} from '@gleaner/coordinator';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApplication, type TestApplication, testRedisUrl } from '../support/index.js';

const redisUrl = testRedisUrl();

describe.skipIf(redisUrl === null)('installations that share a Redis', () => {
  const REDIS_URL = redisUrl ?? '';
  let one: TestApplication;
  let other: TestApplication;
  beforeAll(async () => {
    one = await createTestApplication({ redis: true });
    other = await createTestApplication({ env: { REDIS_URL } });
  });
  afterAll(async () => {
    await other.close();
    await one.close();
  });

  it('work on their own queue jobs only', async () => {
    const name = `spec-${randomUUID()}`;
    const got = new Map([one, other].map((application) => [application, [] as string[]]));
    for (const [application, names] of got) {
      application.app.get(QueueService).consume<string>(name, ({ data }) => {
        names.push(data);
        return Promise.resolve();
      });
    }
    const theirs = (application: TestApplication, prefix: string): string[] =>
      Array.from({ length: 20 }, (_, n) => `${prefix} ${n}`).map((data) => {
        void application.app.get(QueueService).queue<string>(name).announce(data);
        return data;
      });
    const expected = [theirs(one, 'one'), theirs(other, 'other')];
    await expect
      .poll(() => [...got.values()].map((names) => names.toSorted()))
      .toEqual(expected.map((names) => names.toSorted()));
  });

  it('have swarm boards of their own', async () => {
    const boards = [one, other].map((application) => application.app.get<SwarmBoard>(SWARM_BOARD));
    for (const board of boards) expect(await board.takeReport('1', 7)).toBe(true);
    for (const board of boards) expect(await board.takeReport('1', 7)).toBe(false);
  });

  it('begin every key with a name of their own, which a restart keeps', async () => {
    const redis = new Redis(REDIS_URL);
    try {
      const first = new Set((await redis.keys('*')).map((key) => key.split(':')[0]));
      expect(first.size).toBe(2);
      for (const prefix of first) expect(prefix).toMatch(/^gleaner-[0-9a-f]{12}$/);
      const { databaseUrl, dataDir } = one.config;
      const again = await createTestApplication({
        env: { REDIS_URL },
        databaseUrl: databaseUrl ?? '',
        dataDir,
      });
      await again.close();
      expect(new Set((await redis.keys('*')).map((key) => key.split(':')[0]))).toEqual(first);
    } finally {
      redis.disconnect();
    }
  });
});

it.skipIf(redisUrl === null)('coordinators of one database have their queues in one place', async () => {
  const first = await createTestApplication();
  const { databaseUrl, dataDir } = first.config;
  const elsewhere = { databaseUrl: databaseUrl ?? '', dataDir, env: { REDIS_URL: redisUrl ?? '' } };
  try {
    const refused = await createTestApplication(elsewhere).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect(String(refused)).toContain('REDIS_URL is set');
    const beside = await createTestApplication({ databaseUrl: databaseUrl ?? '', dataDir });
    await beside.close();
  } finally {
    // The database goes last: another coordinator follows in it.
    await first.coordinator.stop();
  }
  const moved = await createTestApplication(elsewhere);
  await moved.close();
  await first.close();
});

it.skipIf(redisUrl === null)('coordinators of one database have their queues in one Redis', async () => {
  const first = await createTestApplication({ redis: true });
  const { databaseUrl, dataDir } = first.config;
  const startWith = (url: string): Promise<TestApplication> =>
    createTestApplication({ databaseUrl: databaseUrl ?? '', dataDir, env: { REDIS_URL: url } });
  const ours = first.config.redisUrl ?? '';
  // Another database of the same server is another Redis, as far as queues go.
  const elsewhere = new URL(ours);
  elsewhere.pathname = '/9';
  const refused = await startWith(elsewhere.href).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ConfigError);
  expect(String(refused)).toContain('names another Redis');

  const redis = new Redis(ours);
  const { namespace } = await readInstallation(first.dataSource);
  expect(await redis.del(`${namespace}:mark`)).toBe(1);
  redis.disconnect();
  // As after a flush: the first puts its mark back.
  const beside = await startWith(ours);
  await beside.close();
  await first.coordinator.stop();
  const moved = await startWith(elsewhere.href);
  await moved.close();
  await first.close();
});

it('a coordinator is told how many others use its database', async () => {
  const first = await createTestApplication();
  const { databaseUrl } = first.config;
  const second = await BackendAgreement.join(databaseUrl ?? '', 'postgres');
  const third = await BackendAgreement.join(databaseUrl ?? '', 'postgres');
  expect([second.others, third.others]).toEqual([1, 2]);
  for (const agreement of [second, third]) await agreement.leave();
  await first.close();
});

/** Of a migration whose name is longer than those of Postgres's sessions. */
const NEWER = 'TheOneOfTomorrowWhichSaysMoreInItsNameThanOthers20991231000000';

it('a coordinator is told how many of another version use its database', async () => {
  const first = await createTestApplication();
  const databaseUrl = first.config.databaseUrl ?? '';
  const alike = await BackendAgreement.join(databaseUrl, 'postgres');
  const newer = await BackendAgreement.join(databaseUrl, 'postgres', NEWER);
  const asNew = await BackendAgreement.join(databaseUrl, 'postgres', NEWER);
  expect([alike.otherVersions, newer.otherVersions, asNew.otherVersions]).toEqual([0, 2, 2]);
  for (const agreement of [alike, newer, asNew]) await agreement.leave();
  await first.close();
});
