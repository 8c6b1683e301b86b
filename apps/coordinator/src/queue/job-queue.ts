import type { BullJobOptions, BullQueue } from './queue-backend.js';

/** Adds that may wait for the backend at once; beyond it adding fails, and sweeps find the work later. */
const PENDING_ADDS_MAX = 1000;
const KEEP_FAILED = 100;

export interface AddOptions {
  /** While a queue job of this id waits or runs, adding another is a no-op. */
  readonly dedupeId?: string;
  readonly delayMs?: number;
  /** Times it is tried in all, with exponential back-off from one second. */
  readonly attempts?: number;
}

/** The backend does not take adds fast enough, or is away. What was to be enqueued is found by the sweeps. */
export class QueueBusyError extends Error {
  readonly code = 'queue-busy';
  constructor(queueName: string) {
    super(`queue ${queueName}: ${PENDING_ADDS_MAX} adds already wait for the queue backend`);
  }
}

/** One named queue as producers see it. */
export class JobQueue<D> {
  private pendingAdds = 0;

  constructor(
    readonly name: string,
    private readonly queue: BullQueue,
  ) {}

  async add(data: D, options: AddOptions = {}): Promise<void> {
    await this.bounded(() => this.queue.add('job', data, jobOptions(options)));
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

  /** Whether {@link every} is in force: a flushed Redis forgets it. */
  async hasSchedule(schedulerId: string): Promise<boolean> {
    return (await this.queue.getJobScheduler(schedulerId)) !== undefined;
  }

  /** Queue jobs that no worker has taken yet, delayed ones not counted. */
  waitingCount(): Promise<number> {
    return this.queue.getWaitingCount();
  }

  /** What the queue job that waits longest carries; null where none waits. */
  async oldestWaiting(): Promise<D | null> {
    const [oldest] = await this.queue.getJobs(['waiting'], 0, 0, true);
    return oldest ? (oldest.data as D) : null; // `as`: both ends of a queue name the same type
  }

  /** What all queue jobs carry that a worker holds or that wait for their time; at most `limit` of each. */
  async activeAndDelayed(limit: number): Promise<D[]> {
    const jobs = await this.queue.getJobs(['active', 'delayed'], 0, limit - 1, true);
    return jobs.map(({ data }) => data as D);
  }

  close(): Promise<void> {
    return this.queue.close();
  }

  private async bounded(add: () => Promise<unknown>): Promise<void> {
    if (this.pendingAdds >= PENDING_ADDS_MAX) throw new QueueBusyError(this.name);
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
