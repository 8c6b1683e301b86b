import { Inject, Injectable } from '@nestjs/common';
import type { QueueStatus, ServerStatus } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { CONFIG, type Config } from '../config/index.js';
import { DispatchPauses } from '../dispatch/index.js';
import { BoundedCache } from '../http/index.js';
import { inTime, QUEUES, QueueService, type JobQueue, type JobQueueStatus } from '../queue/index.js';

const FRESHNESS_MS = 2_000;
/** A backend that is away must not keep the page waiting. */
const QUEUES_WITHIN_MS = 2_000;
/**
 * Queues that are looked at at once. Where there is no Redis each takes a connection, which costs the database several MB for as
 * long as people look at the page: with all queues at once it was all the connections that there are for queues.
 */
const QUEUES_AT_ONCE = 4;
/** Lanes and classes of dispatch are one line. */
const DISPATCH_QUEUE = /^\{dispatch-/;

const count = z.coerce.number().int();
const factsRow = z.tuple([
  z.object({
    size_bytes: count,
    tasks: count,
    seen: count,
    held: count,
    jobs: z.record(z.string(), count).nullable(),
  }),
]);

@Injectable()
export class ServerStatusService {
  private readonly answers = new BoundedCache<'status', Promise<ServerStatus>>(1, FRESHNESS_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly queues: QueueService,
    private readonly pauses: DispatchPauses,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** At most {@link FRESHNESS_MS} old, however many ask. */
  async get(): Promise<ServerStatus> {
    const known = this.answers.get('status');
    if (known) return await known;
    const answer = this.load();
    this.answers.set('status', answer);
    answer.catch(() => this.answers.delete('status'));
    return await answer;
  }

  private async load(): Promise<ServerStatus> {
    const startMs = performance.now();
    await this.dataSource.query('SELECT 1');
    const latencyMs = Math.round((performance.now() - startMs) * 10) / 10;
    const [facts] = factsRow.parse(
      await this.dataSource.query(
        `SELECT pg_database_size(current_database()) AS size_bytes, (SELECT count(*) FROM lease) AS tasks,
                (SELECT count(*) FROM host WHERE last_seen_at > now() - interval '1 hour' AND detached_at IS NULL) AS seen,
                (SELECT count(*) FROM host WHERE held_reason IS NOT NULL AND detached_at IS NULL) AS held,
                (SELECT jsonb_object_agg(state, jobs)
                   FROM (SELECT state, count(*) AS jobs FROM job WHERE deleted_at IS NULL GROUP BY state) s) AS jobs`,
      ),
    );
    return {
      name: this.config.name,
      at: new Date().toISOString(),
      dispatchPaused: await this.pauses.current(),
      database: { up: true, latencyMs, sizeBytes: facts.size_bytes },
      queues: await this.queueStatus(),
      tasksInProgress: facts.tasks,
      hosts: { seenLastHour: facts.seen, held: facts.held },
      jobs: facts.jobs ?? {},
    };
  }

  private async queueStatus(): Promise<QueueStatus[] | null> {
    const named = Object.values(QUEUES).map((name) => ({
      name,
      members: [this.queues.queue<unknown>(name)],
    }));
    const dispatch = this.queues.openQueues().filter(({ name }) => DISPATCH_QUEUE.test(name));
    return await inTime(lookAt([...named, { name: 'dispatch', members: dispatch }]), QUEUES_WITHIN_MS, null);
  }
}

/** Queues that are one line of the page. */
interface QueueLine {
  readonly name: string;
  readonly members: ReadonlyArray<JobQueue<unknown>>;
}

async function lookAt(lines: readonly QueueLine[]): Promise<QueueStatus[]> {
  const left = lines.flatMap(({ members }) => members).values();
  const seen = new Map<JobQueue<unknown>, JobQueueStatus>();
  const lookAtSome = async (): Promise<void> => {
    for (const queue of left) seen.set(queue, await queue.status());
  };
  await Promise.all(Array.from({ length: QUEUES_AT_ONCE }, lookAtSome));
  return lines.map(({ name, members }) =>
    sumOf(
      name,
      members.flatMap((queue) => seen.get(queue) ?? []),
    ),
  );
}

function sumOf(name: string, statuses: readonly JobQueueStatus[]): QueueStatus {
  const total = (key: Exclude<keyof JobQueueStatus, 'oldestAddedAtMs'>): number =>
    statuses.reduce((sum, status) => sum + status[key], 0);
  const added = statuses.flatMap(({ oldestAddedAtMs }) => oldestAddedAtMs ?? []);
  return {
    name,
    waiting: total('waiting'),
    delayed: total('delayed'),
    active: total('active'),
    failed: total('failed'),
    oldestWaitingSeconds:
      added.length === 0 ? null : Math.max(0, Math.round((Date.now() - Math.min(...added)) / 1000)),
  };
}
