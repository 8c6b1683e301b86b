import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testRedisUrl } from '../support/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { createLogger, type QueueBackendConfig, QueueService } from '@gleaner/coordinator';

const redisUrl = testRedisUrl();

const backends: ReadonlyArray<[string, boolean, () => Promise<QueueBackendConfig>]> = [
  [
    'redis',
    redisUrl !== null,
    () => Promise.resolve({ kind: 'redis', url: redisUrl ?? '', prefix: 'queues-test' }),
  ],
  ['postgres', true, async () => ({ kind: 'postgres', connectionString: (await database).url })],
];
let database: Promise<TestDatabase>;

beforeAll(() => {
  database = createTestDatabase();
});
afterAll(async () => (await database).drop());

for (const [kind, isAvailable, config] of backends) {
  describe.skipIf(!isAvailable)(`queues on ${kind}`, () => {
    let queues: QueueService;
    let name: string;

    beforeEach(async () => {
      name = `spec-${crypto.randomUUID()}`;
      queues = await openQueues(await config());
    });
    afterEach(() => queues.close());

    it('hands every queue job to a consumer once', async () => {
      const seen = new Collector<number>(100);
      queues.consume<number>(name, (job) => seen.take(job.data), { concurrency: 4 });
      await queues.queue<number>(name).addBulk(Array.from({ length: 100 }, (_, index) => index));
      expect((await seen.all).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 100 }, (_, index) => index),
      );
    });

    it('ignores a second queue job of an id that waits', async () => {
      const queue = queues.queue<string>(name);
      await queue.add('first', { dedupeId: 'job-7' });
      await queue.add('second', { dedupeId: 'job-7' });
      expect(await queue.waitingCount()).toBe(1);
      const seen = new Collector<string>(1);
      queues.consume<string>(name, (job) => seen.take(job.data));
      expect(await seen.all).toEqual(['first']);
    });

    it.each(['done', 'failed'])('accepts an id again after its queue job is %s', async (end) => {
      const queue = queues.queue<string>(name);
      const seen = new Collector<string>(2);
      queues.consume<string>(name, async (job) => {
        await seen.take(job.data);
        if (end === 'failed') throw new Error('as intended');
      });
      await queue.add('first', { dedupeId: 'job-8' });
      await expect
        .poll(async () => {
          await queue.add('second', { dedupeId: 'job-8' });
          return seen.count;
        })
        .toBeGreaterThan(1);
    });

    it('does not count delayed queue jobs as waiting', async () => {
      const queue = queues.queue<string>(name);
      await queue.add('later', { delayMs: 60_000 });
      await queue.add('now');
      expect(await queue.waitingCount()).toBe(1);
    });

    it('tells what all unfinished queue jobs carry, also one that a worker holds', async () => {
      const queue = queues.queue<string>(name);
      const held = Promise.withResolvers<void>();
      const seen = new Collector<string>(1);
      await queue.add('held');
      queues.consume<string>(name, async (job) => {
        await seen.take(job.data);
        await held.promise;
      });
      await seen.all;
      await queue.add('later', { delayMs: 60_000 });
      await queue.add('next');
      expect((await queue.unfinished(10)).toSorted()).toEqual(['held', 'later', 'next']);
      held.resolve();
    });

    it('delivers a delayed queue job when its time has come', async () => {
      const seen = new Collector<string>(2);
      let deliveredAtMs = 0;
      queues.consume<string>(name, (job) => {
        if (job.data === 'later') deliveredAtMs = Date.now();
        return seen.take(job.data);
      });
      const addedAtMs = Date.now();
      await queues.queue<string>(name).add('later', { delayMs: 200 });
      await queues.queue<string>(name).add('now');
      expect((await seen.all).toSorted()).toEqual(['later', 'now']);
      expect(deliveredAtMs - addedAtMs).toBeGreaterThanOrEqual(200);
    });

    it('tries a failing queue job again', async () => {
      const seen = new Collector<string>(2);
      queues.consume<string>(name, async (job) => {
        await seen.take(job.data);
        if (seen.count === 1) throw new Error('first attempt fails');
      });
      await queues.queue<string>(name).add('stubborn', { attempts: 2 });
      expect(await seen.all).toEqual(['stubborn', 'stubborn']);
    });

    it('runs a schedule once for all coordinators, also when each of them asks for it', async () => {
      const other = await openQueues(await config());
      try {
        await queues.schedule(name, 'tick', 300, { tick: true });
        await other.schedule(name, 'tick', 300, { tick: true });
        const slots: string[] = [];
        const seen = new Collector<object>(4);
        for (const service of [queues, other]) {
          service.consume<object>(name, (job) => {
            slots.push(job.id);
            return seen.take(job.data);
          });
        }
        await seen.all;
        expect(new Set(slots).size).toBe(slots.length);
      } finally {
        await other.close();
      }
    });

    it('keeps queue jobs in the queue while a consumer is paused', async () => {
      const seen = new Collector<string>(1);
      const consumer = queues.consume<string>(name, (job) => seen.take(job.data));
      await consumer.pause();
      const queue = queues.queue<string>(name);
      await queue.add('patient');
      expect(seen.count).toBe(0);
      expect(await queue.waitingCount()).toBe(1);
      await consumer.resume();
      expect(await seen.all).toEqual(['patient']);
    });

    it('gives what a killed process worked on to others', async () => {
      await queues.queue<string>(name).add('half done');
      const victim = spawn(process.execPath, ['--input-type=module', '--eval', WORKS_FOR_EVER], {
        env: { ...process.env, QUEUE: name, BACKEND: JSON.stringify(await config()) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        const [works] = (await once(victim.stdout, 'data')) as [Buffer];
        expect(works.toString()).toBe('half done');
      } finally {
        victim.kill('SIGKILL');
      }
      const seen = new Collector<string>(1);
      queues.consume<string>(name, (job) => seen.take(job.data));
      expect(await seen.all).toEqual(['half done']);
    });

    it('closes twice without harm and waits for the running processor', async () => {
      let finished = false;
      const started = new Collector<string>(1);
      queues.consume<string>(name, async (job) => {
        await started.take(job.data);
        await new Promise((resolve) => setImmediate(resolve));
        finished = true;
      });
      await queues.queue<string>(name).add('last');
      await started.all;
      await Promise.all([queues.close(), queues.close()]);
      expect(finished).toBe(true);
    });
  });
}

/** A coordinator's queues in a process of their own, as they were built: says what it works on, and never ends. */
const WORKS_FOR_EVER = `
  import { createLogger, QueueService } from '@gleaner/coordinator';
  const queues = new QueueService(JSON.parse(process.env.BACKEND), createLogger('silent'));
  await queues.open();
  queues.consume(process.env.QUEUE, (job) => {
    process.stdout.write(job.data);
    return new Promise(() => undefined);
  });
`;

async function openQueues(config: QueueBackendConfig): Promise<QueueService> {
  const queues = new QueueService(config, createLogger('silent'));
  await queues.open();
  return queues;
}

/** Collects `wanted` values and then resolves. */
class Collector<T> {
  private readonly values: T[] = [];
  private readonly filled = Promise.withResolvers<readonly T[]>();
  readonly all = this.filled.promise;

  constructor(private readonly wanted: number) {}

  get count(): number {
    return this.values.length;
  }

  take(value: T): Promise<void> {
    this.values.push(value);
    if (this.values.length === this.wanted) this.filled.resolve(this.values);
    return Promise.resolve();
  }
}
