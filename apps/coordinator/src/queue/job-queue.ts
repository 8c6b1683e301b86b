import type { BullJobOptions, BullQueue } from './queue-backend.js';

/** Adds that may wait for the backend at once; beyond it adding fails, and sweeps find the work later. */
const PENDING_ADDS_MAX = 1000;
const KEEP_FAILED = 100;
/** A request waits this long for a backend that is away; its clients go on by a sweep. */
const ANNOUNCE_WITHIN_MS = 1_000;

export interface AddOptions {
  /** While a queue job of this id waits or runs, adding another is a no-op. */
  readonly dedupeId?: string;
  readonly delayMs?: number;
  /** Times it is tried in all, with exponential back-off from one second. */
  readonly attempts?: number;
  /** Gives up waiting for an absent backend after this; the queue job may be added nevertheless once it is back. */
  readonly withinMs?: number;
}

/** The backend does not take adds fast enough, or is away. What was to be enqueued is found by the sweeps. */
export class QueueBusyError extends Error {
  readonly code = 'queue-busy';
  constructor(queueName: string, what: string) {
    super(`queue ${queueName}: ${what}`);
  }
}

/** Numbers of queue jobs. */
export interface JobQueueStatus {
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly failed: number;
  /** Of the one that waits longest; Unix milliseconds, null where none waits. */
  readonly oldestAddedAtMs: number | null;
}

/** One named queue as producers see it. */
export class JobQueue<D> {
  private pendingAdds = 0;

  constructor(
    readonly name: string,
    private readonly queue: BullQueue,
  ) {}

  /** @throws {QueueBusyError} where too many adds wait, or after `withinMs` */
  async add(data: D, options: AddOptions = {}): Promise<void> {
    const adding = this.bounded(() => this.queue.add('job', data, jobOptions(options)));
    await (options.withinMs === undefined ? adding : this.within(options.withinMs, adding));
  }

  /** Adds what a sweep adds as well: a backend that is away delays the work, and neither fails nor holds up the caller. */
  async announce(data: D, options: AddOptions = {}): Promise<void> {
    try {
      await this.add(data, { withinMs: ANNOUNCE_WITHIN_MS, ...options });
    } catch {
      // The next sweep announces it again.
    }
  }

  async addBulk(items: readonly D[], options: AddOptions = {}): Promise<void> {
    if (items.length === 0) return;
    const opts = jobOptions(options);
    await this.bounded(() => this.queue.addBulk(items.map((data) => ({ name: 'job', data, opts }))));
  }

  /** Runs a queue job every `everyMs`, once for all coordinators together; repeating the call changes nothing. */
  async every(schedulerId: string, everyMs: number, data: D): Promise<void> {
    await this.bounded(() =>
      this.queue.upsertJobScheduler(
        schedulerId,
        { every: everyMs },
        { name: 'job', data, opts: { removeOnComplete: true, removeOnFail: KEEP_FAILED } },
      ),
    );
  }

  /** Milliseconds until {@link every} has its next turn; null where it is forgotten, as by a Redis that was flushed. */
  async untilNextMs(schedulerId: string): Promise<number | null> {
    const scheduler = await this.queue.getJobScheduler(schedulerId);
    return scheduler === undefined ? null : (scheduler.next ?? 0) - Date.now();
  }

  /** Begins {@link every} anew, from now on. */
  async everyAnew(schedulerId: string, everyMs: number, data: D): Promise<void> {
    await this.bounded(() => this.queue.removeJobScheduler(schedulerId));
    await this.every(schedulerId, everyMs, data);
  }

  /** Queue jobs that no worker has taken yet, delayed ones not counted. */
  waitingCount(): Promise<number> {
    return this.queue.getWaitingCount();
  }

  /** Queue jobs whose time has not come yet. */
  delayedCount(): Promise<number> {
    return this.queue.getDelayedCount();
  }

  /** What the queue job that waits longest carries; null where none waits. */
  async oldestWaiting(): Promise<D | null> {
    const [oldest] = await this.queue.getJobs(['waiting'], 0, 0, true);
    return oldest ? (oldest.data as D) : null; // `as`: both ends of a queue name the same type
  }

  /** What the queue job that was added last carries; null where none waits. */
  async newestWaiting(): Promise<D | null> {
    const [newest] = await this.queue.getJobs(['waiting'], 0, 0, false);
    return newest ? (newest.data as D) : null; // `as`: both ends of a queue name the same type
  }

  /** How the queue is; a backend that is away keeps the caller waiting. */
  async status(): Promise<JobQueueStatus> {
    const counts = await this.queue.getJobCounts('waiting', 'delayed', 'active', 'failed');
    const [oldest] = await this.queue.getJobs(['waiting'], 0, 0, true);
    const { waiting = 0, delayed = 0, active = 0, failed = 0 } = counts;
    return { waiting, delayed, active, failed, oldestAddedAtMs: oldest?.timestamp ?? null };
  }

  /** What queue jobs carry that wait, that a worker holds, or whose time has not come; at most `limit` of each, oldest first. */
  async unfinished(limit: number): Promise<D[]> {
    const jobs = await this.queue.getJobs(['waiting', 'active', 'delayed'], 0, limit - 1, true);
    return jobs.map(({ data }) => data as D);
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  private async within(milliseconds: number, adding: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new QueueBusyError(this.name, `the backend took nothing for ${milliseconds} ms`)),
        milliseconds,
      );
    });
    try {
      await Promise.race([adding, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async bounded(add: () => Promise<unknown>): Promise<void> {
    if (this.pendingAdds >= PENDING_ADDS_MAX)
      throw new QueueBusyError(this.name, `${PENDING_ADDS_MAX} adds already wait for the queue backend`);
    this.pendingAdds++;
    try {
      await add();
    } finally {
      this.pendingAdds--;
    }
  }
}

function jobOptions({ dedupeId, delayMs, attempts }: AddOptions): BullJobOptions {
  return {
    removeOnComplete: true,
    removeOnFail: KEEP_FAILED,
    ...(dedupeId === undefined ? {} : { deduplication: { id: dedupeId } }),
    ...(delayMs === undefined ? {} : { delay: delayMs }),
    ...(attempts === undefined ? {} : { attempts, backoff: { type: 'exponential', delay: 1000 } }),
  };
}
