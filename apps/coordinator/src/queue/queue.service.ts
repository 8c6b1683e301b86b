import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { AnswerWatch } from './answer-watch.js';
import { JobQueue } from './job-queue.js';
import { QUEUES } from './queue-names.js';
import {
  type BullWorker,
  openQueueBackend,
  type QueueBackend,
  type QueueBackendConfig,
} from './queue-backend.js';
import { queueTrouble } from './redis-troubles.js';

export const QUEUE_BACKEND = Symbol('QUEUE_BACKEND');

/** A crashed coordinator's queue jobs go back to the queue this often, whatever they are: all of them may run twice. */
const MAX_STALLED_COUNT = 1_000_000;
const LOCK_MS = 15_000;
const STALLED_INTERVAL_MS = 10_000;
/** A flushed Redis forgets schedulers; every process puts its own back this often. */
const RESCHEDULE_MS = 15_000;
/** By so much clocks of machines that are kept right differ at most. */
const AHEAD_MAX_MS = 5_000;
const CLOCKS_TOLD_EVERY_MS = 3_600_000;
/** What does not end in this time at shutdown is left to the stalled check of the others. */
const CLOSE_WAIT_MS = 5_000;
const ERROR_LOG_INTERVAL_MS = 5_000;
/** What was refused so long ago is over: workers ask all the time. */
const TROUBLE_AGE_MAX_MS = 15_000;

export interface ConsumeOptions {
  /** Queue jobs that one process works on at once. */
  readonly concurrency?: number;
}

export interface QueueJob<D> {
  readonly id: string;
  readonly data: D;
}

/** A running consumer of one queue. */
export interface JobConsumer {
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

interface Schedule {
  readonly queue: JobQueue<unknown>;
  readonly id: string;
  readonly everyMs: number;
  readonly data: unknown;
}

/** Queues and workers on whichever BullMQ backend is configured. */
@Injectable()
export class QueueService implements OnModuleInit, BeforeApplicationShutdown {
  private readonly queues = new Map<string, JobQueue<unknown>>();
  private readonly workers = new Set<BullWorker>();
  private readonly schedules: Schedule[] = [];
  private backend: QueueBackend | undefined;
  private watch: AnswerWatch | undefined;
  private rescheduling: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;
  private lastErrorAtMs = 0;
  private clocksToldAtMs = Number.NEGATIVE_INFINITY;
  private refused = { what: '', atMs: Number.NEGATIVE_INFINITY };

  constructor(
    @Inject(QUEUE_BACKEND) private readonly config: QueueBackendConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.open();
  }

  /** Connects; further calls return at once. */
  async open(): Promise<void> {
    if (this.backend) return;
    this.backend = await openQueueBackend(this.config, {
      onError: (error) => this.logError('backend', error),
      onForgetful: (why) =>
        this.logger.warn(
          { event: 'redis-forgetful', why },
          `REDIS_URL: ${why}: once it is full it forgets queues, and jobs pause until that is found. Set it to noeviction`,
        ),
    });
    this.watch = new AnswerWatch(
      () => this.queue(QUEUES.sweep).waitingCount(),
      (error) => this.logError('backend', error),
    );
    this.rescheduling = setInterval(() => void this.reschedule(), RESCHEDULE_MS);
    this.rescheduling.unref();
  }

  /** The queue of this name; the same object for the same name. Its jobs' data is `D` by the caller's word. */
  queue<D>(name: string): JobQueue<D> {
    const existing = this.queues.get(queueName(name));
    // Both ends of a queue name the same type; JSON in the backend cannot tell.
    if (existing) return existing as JobQueue<D>;
    const bullQueue = this.opened().createQueue(queueName(name));
    bullQueue.on('error', (error) => this.logError(name, error));
    const queue = new JobQueue<D>(queueName(name), bullQueue);
    this.queues.set(queueName(name), queue);
    return queue;
  }

  /**
   * Works on the queue's jobs until closed. A queue job may run twice (a crash, a lost lock): `process` must stand that.
   * Its signal aborts when the lock is lost.
   */
  consume<D>(
    name: string,
    process: (job: QueueJob<D>, signal: AbortSignal | undefined) => Promise<void>,
    options: ConsumeOptions = {},
  ): JobConsumer {
    const worker = this.opened().createWorker(
      queueName(name),
      // BullMQ passes a signal to processors of three parameters.
      (job, _token, signal) => process({ id: job.id ?? '', data: job.data as D }, signal),
      {
        concurrency: options.concurrency ?? 1,
        maxStalledCount: MAX_STALLED_COUNT,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_INTERVAL_MS,
      },
    );
    worker.on('error', (error) => this.logError(name, error));
    worker.on('failed', (job, error) =>
      this.logger.error({ event: 'queue-job-failed', queue: name, id: job?.id, err: error }),
    );
    this.workers.add(worker);
    return {
      pause: () => worker.pause(true),
      resume: () => worker.resume(),
      close: async () => {
        this.workers.delete(worker);
        await bounded(worker.close());
      },
    };
  }

  /** Every queue that this process has added to or looked at. */
  openQueues(): ReadonlyArray<JobQueue<unknown>> {
    return [...this.queues.values()];
  }

  /** What is wrong with the backend: it does not answer within this time, or refused something lately; null: nothing. */
  async trouble(withinMs: number): Promise<string | null> {
    if (!(await this.watch?.answersWithin(withinMs))) return `no answer within ${withinMs} ms`;
    return this.knownTrouble();
  }

  /** The same without asking it: what has been noticed of it; null: nothing. */
  knownTrouble(): string | null {
    if (this.watch?.isSilent) return 'it does not answer';
    const isRecent = performance.now() - this.refused.atMs < TROUBLE_AGE_MAX_MS;
    return isRecent ? this.refused.what : null;
  }

  /** Has one coordinator at a time work on `data` every `everyMs`, also after the backend lost everything. */
  async schedule(name: string, id: string, everyMs: number, data: object): Promise<void> {
    const queue = this.queue<unknown>(name);
    this.schedules.push({ queue, id, everyMs, data });
    try {
      await queue.every(id, everyMs, data);
    } catch (error) {
      // One that refuses it now, as it is full, is asked again before long, as one that forgot it.
      if (queueTrouble(error) === undefined) throw error;
      this.logError(name, error);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /** Waits for running processors (bounded), then closes all connections. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    clearInterval(this.rescheduling);
    this.watch?.stop();
    await Promise.all([...this.workers].map((worker) => bounded(worker.close())));
    await Promise.all([...this.queues.values()].map((queue) => bounded(queue.close())));
    if (this.backend) await bounded(this.backend.close());
  }

  private async reschedule(): Promise<void> {
    for (const { queue, id, everyMs, data } of this.schedules) {
      if (this.closing) return;
      try {
        const untilMs = await queue.untilNextMs(id);
        if (untilMs !== null && untilMs <= everyMs + AHEAD_MAX_MS) continue;
        // Whose clock is ahead has it go on by that, which is long after it has gone.
        if (untilMs !== null) this.tellOfClocks(untilMs - everyMs);
        await queue.everyAnew(id, everyMs, data);
      } catch (error) {
        this.logError(queue.name, error);
      }
    }
  }

  private tellOfClocks(aheadMs: number): void {
    const nowMs = performance.now();
    if (nowMs - this.clocksToldAtMs < CLOCKS_TOLD_EVERY_MS) return;
    this.clocksToldAtMs = nowMs;
    const seconds = Math.round(aheadMs / 1000);
    this.logger.warn(
      { event: 'clocks-differ', seconds },
      `another coordinator's clock is ${seconds} s ahead of this one's, or this one's was put back: what is done regularly may be late until all clocks are right`,
    );
  }

  private opened(): QueueBackend {
    if (!this.backend) throw new Error('queues are not open yet: use them from onApplicationBootstrap on');
    return this.backend;
  }

  /** An absent backend reports each retry of each connection: one line in a while tells as much. */
  private logError(where: string, error: unknown): void {
    const what = queueTrouble(error);
    if (what !== undefined) this.refused = { what, atMs: performance.now() };
    if (this.closing || Date.now() - this.lastErrorAtMs < ERROR_LOG_INTERVAL_MS) return;
    this.lastErrorAtMs = Date.now();
    const message = error instanceof Error ? error.message || error.name : String(error);
    this.logger.warn({ event: 'queue-error', queue: where, error: message });
  }
}

/** Queue names stand in braces, so that a Redis Cluster keeps each queue's keys together. */
function queueName(name: string): string {
  return `{${name}}`;
}

/** An absent backend, or a processor that does not end, must not keep the process from ending. */
async function bounded(closing: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_WAIT_MS);
  });
  await Promise.race([closing, tooLate]);
  clearTimeout(timer);
}
