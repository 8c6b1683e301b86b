import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Logger, QueueService } from '@gleaner/coordinator';
import { job as jobSchema } from '@gleaner/protocol';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createTestApplication,
  createVolunteer,
  operatorOf,
  type RedisServer,
  seedJob,
  startRedis,
  startTcpRelay,
  type TestApplication,
  TestHost,
  testRedisUrl,
} from '../support/index.js';

const portOf = ({ url }: RedisServer): number => Number(new URL(url).port);

describe.skipIf(testRedisUrl() === null)('a Redis', () => {
  let directory: string;
  let server: RedisServer;
  let redis: Redis;
  const closing: Array<() => unknown> = [];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'gleaner-redis-'));
    ({ server, redis } = await aServer('first'));
  });
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
    await rm(directory, { recursive: true, force: true });
  });

  async function aServer(name: string): Promise<{ server: RedisServer; redis: Redis }> {
    const started = await startRedis(join(directory, name));
    if (!started) throw new Error('Redis was there a moment ago');
    const client = new Redis(started.url);
    closing.push(
      () => started.stop(),
      () => client.disconnect(),
    );
    return { server: started, redis: client };
  }

  async function openQueues(url: string, logger: Logger = createLogger('silent')): Promise<QueueService> {
    const queues = new QueueService({ kind: 'redis', url, prefix: 'troubles-test' }, logger);
    await queues.open();
    closing.push(() => queues.close());
    return queues;
  }

  it('that is full is told as the trouble that it is, until there is room', async () => {
    const gleaner: TestApplication = await createTestApplication({ env: { REDIS_URL: server.url } });
    closing.push(() => gleaner.close());
    const health = async (): Promise<unknown> => (await gleaner.http.get('/health/ready')).body;
    await expect.poll(health).toMatchObject({ status: 'ok' });
    await redis.config('SET', 'maxmemory', '1');
    await expect.poll(health).toMatchObject({
      status: 'degraded',
      details: { queue: { message: 'it is full: all of its maxmemory is used' } },
    });
    await redis.config('SET', 'maxmemory', '0');
    await expect.poll(health, { timeout: 60_000 }).toMatchObject({ status: 'ok' });
  });

  it.each<[string, string, () => Promise<unknown>, () => Promise<unknown>]>([
    [
      'is full',
      'it is full: all of its maxmemory is used',
      () => redis.config('SET', 'maxmemory', '1'),
      () => redis.config('SET', 'maxmemory', '0'),
    ],
    [
      'does not answer',
      'it does not answer',
      () => Promise.resolve(process.kill(server.pid, 'SIGSTOP')),
      () => Promise.resolve(process.kill(server.pid, 'SIGCONT')),
    ],
  ])(
    'that %s is what keeps units from volunteers, who are not told that all are given out',
    async (_how, what, begin, end) => {
      const gleaner = await createTestApplication({ env: { REDIS_URL: server.url } });
      closing.push(() => gleaner.close());
      const { accountId } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'scientist');
      const { token } = await createVolunteer(gleaner.url, gleaner.operatorToken, 'volunteer');
      const host = await TestHost.attach(gleaner.url, { token });
      await begin();
      closing.push(end);
      const { jobId } = await seedJob(gleaner.dataSource, { accountId, units: 1 });
      const told = async (): Promise<unknown> => (await host.ask(1, 4096, 1)).noWork;
      const message = `the coordinator cannot give out units, as its queue is in trouble: ${what}`;
      await expect.poll(told).toEqual([{ code: 'server-busy', count: null, message }]);
      const reasonOfJob = async (): Promise<unknown> =>
        jobSchema.parse((await operatorOf(gleaner).get(`/v1/jobs/${jobId}`).expect(200)).body).stateReason;
      await expect
        .poll(reasonOfJob)
        .toBe(
          `the coordinator's queue, by which jobs are split, given out, checked and merged, is in trouble: ${what}`,
        );
      await end();
      // A queue job that was begun and could not be ended is found by the stalled check.
      const tasks = async (): Promise<unknown[]> => (await host.ask(1, 4096, 1)).tasks;
      await expect.poll(tasks, { timeout: 90_000 }).toHaveLength(1);
      await expect.poll(reasonOfJob, { timeout: 60_000 }).toBeNull();
    },
  );

  it('that will forget queues when it is full is told at the start', async () => {
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const logger = createLogger('silent');
    const warn = vi.spyOn(logger, 'warn');
    await openQueues(server.url, logger);
    const told = (): unknown[] => warn.mock.calls.flat();
    await expect
      .poll(told)
      .toContainEqual(expect.stringMatching(/REDIS_URL: its maxmemory-policy is allkeys-lru/));
  });

  it('that follows another by now is left for whoever has its address', async () => {
    const successor = (await aServer('second')).server;
    const relay = await startTcpRelay(portOf(server));
    closing.push(() => relay.close());
    const queues = await openQueues(`redis://127.0.0.1:${relay.port}`);
    const queue = queues.queue<number>('moved');
    await queue.add(1);
    await redis.replicaof('127.0.0.1', portOf(successor));
    await expect(queue.add(2)).rejects.toThrow(/READONLY/);
    relay.leadTo(portOf(successor));
    await expect.poll(() => queue.add(3).then(() => 'added', String)).toBe('added');
  });
});
