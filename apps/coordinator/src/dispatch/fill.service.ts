import { Inject, Injectable } from '@nestjs/common';
import {
  FIRST_QUEUE_DEPTH,
  interleave,
  type JobDemand,
  laneOfTicket,
  MAX_QUEUE_DEPTH,
  nextQueueDepth,
  type QueueDepth,
  shareTickets,
  type UnitClass,
} from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { hotPool, hotTransaction, plainArray, PreparedStatement } from '../database/index.js';
import { type DispatchData, dispatchQueueName, QueueService, type TicketData } from '../queue/index.js';
import { DISPATCH_SETTINGS, type DispatchSettings } from './dispatch-settings.js';
import { JobDirectory, type RunningJob } from './job-directory.js';

/** Tickets of one queue job. */
const TICKETS_PER_BATCH = 256;
/** Units taken by one statement: what else the database does waits for it on a small machine. */
const UNITS_PER_STATEMENT = 2_048;

interface DemandRow {
  readonly job_id: string;
  readonly backlog: string;
  readonly queued: string;
}

interface TicketedRow {
  readonly id: string;
  readonly from_ordinal: number;
  readonly to_ordinal: number;
}

/** The order of the index of open units, which nobody needs, keeps the planner from reading all units of a job. */
const BY_OPEN_UNITS = 'ORDER BY w.job_id, w.ticketed_at NULLS FIRST, w.id';

const readDemand = new PreparedStatement<DemandRow>(
  'read-demand',
  `SELECT j.job_id, b.backlog, q.queued
     FROM unnest($1::bigint[]) AS j(job_id)
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(wanted - ticketed), 0) AS backlog FROM (
         SELECT wanted, ticketed FROM work_unit w
          WHERE w.job_id = j.job_id AND w.state = 'open' AND w.ticketed_at IS NULL ${BY_OPEN_UNITS} LIMIT ${UNITS_PER_STATEMENT}) first
     ) b
     CROSS JOIN LATERAL (
       SELECT count(*) AS queued FROM (
         SELECT FROM work_unit w
          WHERE w.job_id = j.job_id AND w.state = 'open' AND w.ticketed_at >= $2::timestamptz
          ${BY_OPEN_UNITS} LIMIT ${MAX_QUEUE_DEPTH}) since
     ) q`,
);

/** Takes up to $2 tickets of a job's next units. Its literal LIMIT keeps the planner on the index of open units. */
function ticketStatement(units: number): PreparedStatement<TicketedRow> {
  return new PreparedStatement<TicketedRow>(
    `ticket-${units}-units`,
    `WITH ready AS MATERIALIZED (
       SELECT id, ticketed FROM (
         SELECT id, ticketed, sum(wanted - ticketed) OVER (ORDER BY id) - (wanted - ticketed) AS before FROM (
           SELECT id, ticketed, wanted FROM work_unit
            WHERE job_id = $1 AND state = 'open' AND ticketed_at IS NULL
            ORDER BY job_id, ticketed_at NULLS FIRST, id LIMIT ${units}) first) counted
        WHERE before < $2::integer
     )
     UPDATE work_unit u SET ticketed = u.wanted, ticketed_at = now() FROM ready r
      WHERE u.id = r.id AND u.state = 'open' AND u.ticketed_at IS NULL
     RETURNING u.id, r.ticketed AS from_ordinal, u.wanted AS to_ordinal`,
  );
}

const TICKET_STATEMENTS = [64, 512, UNITS_PER_STATEMENT].map((units) => ({
  units,
  statement: ticketStatement(units),
}));

/** Puts tickets of ready units on the dispatch queues: so many that hosts find some, shared fairly among the jobs. */
@Injectable()
export class FillService {
  private readonly depths = new Map<UnitClass, QueueDepth>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly queues: QueueService,
    private readonly jobs: JobDirectory,
    @Inject(DISPATCH_SETTINGS) private readonly settings: DispatchSettings,
  ) {}

  /** @returns tickets that were put on queues */
  async fill(): Promise<number> {
    await this.jobs.refresh();
    const byClass = new Map<UnitClass, RunningJob[]>();
    for (const job of (await this.jobs.list()).values()) {
      if (job.openUnits === 0) continue;
      byClass.set(job.unitClass, [...(byClass.get(job.unitClass) ?? []), job]);
    }
    let tickets = 0;
    for (const [unitClass, jobs] of byClass) tickets += await this.fillClass(unitClass, jobs);
    return tickets;
  }

  private async fillClass(unitClass: UnitClass, jobs: readonly RunningJob[]): Promise<number> {
    const { waiting, oldestAtMs } = await this.waitingTickets(unitClass);
    const depth = nextQueueDepth(this.depths.get(unitClass) ?? FIRST_QUEUE_DEPTH, waiting);
    const capacity = depth - waiting;
    const tickets = capacity > 0 ? await this.ticketsOf(jobs, capacity, oldestAtMs) : [];
    // A statement that took all it may did not find the backlog's end.
    const hadBacklog = tickets.length >= Math.min(capacity, UNITS_PER_STATEMENT);
    this.depths.set(unitClass, { tickets: depth, hadBacklog });
    return this.enqueue(unitClass, tickets);
  }

  private async ticketsOf(
    jobs: readonly RunningJob[],
    capacity: number,
    oldestAtMs: number,
  ): Promise<TicketData[]> {
    const [only, ...others] = jobs;
    if (only && others.length === 0) return this.ticket(only.jobId, capacity);
    const demand = await this.demandOf(jobs, oldestAtMs);
    const grants = shareTickets(demand, capacity);
    const ofJobs: TicketData[][] = [];
    for (const [at, job] of demand.entries()) {
      const grant = grants[at] ?? 0;
      if (grant > 0) ofJobs.push(await this.ticket(Number(job.jobId), grant));
    }
    return interleave(ofJobs);
  }

  private async waitingTickets(unitClass: UnitClass): Promise<{ waiting: number; oldestAtMs: number }> {
    let waiting = 0;
    let delayed = 0;
    let oldestAtMs = Date.now();
    for (let lane = 0; lane < this.settings.lanes; lane += 1) {
      const queue = this.queues.queue<DispatchData>(dispatchQueueName(unitClass, lane));
      delayed += await queue.delayedCount();
      const count = await queue.waitingCount();
      if (count === 0) continue;
      const oldest = await queue.oldestWaiting();
      if (!oldest) continue;
      // What was given back lies at either end, and may be a single ticket: the queue jobs between are of about one size.
      const newest = (count > 1 ? await queue.newestWaiting() : null) ?? oldest;
      waiting += Math.ceil((count * (oldest.units.length + newest.units.length)) / 2);
      oldestAtMs = Math.min(oldestAtMs, oldest.at);
    }
    // Tickets that wait for other accounts do not keep fresh ones out, but their number is bounded as well.
    if (delayed * TICKETS_PER_BATCH >= MAX_QUEUE_DEPTH) waiting = MAX_QUEUE_DEPTH;
    return { waiting, oldestAtMs };
  }

  private async demandOf(jobs: readonly RunningJob[], oldestAtMs: number): Promise<JobDemand[]> {
    const rows = await readDemand.run(hotPool(this.dataSource), [
      plainArray(jobs.map(({ jobId }) => jobId)),
      new Date(oldestAtMs).toISOString(),
    ]);
    const byJob = new Map(rows.map((row) => [Number(row.job_id), row]));
    return jobs.map(({ jobId, share }) => {
      const row = byJob.get(jobId);
      return { jobId, share, backlog: Number(row?.backlog ?? 0), queued: Number(row?.queued ?? 0) };
    });
  }

  /** @returns in the order of the job's units */
  private async ticket(jobId: number, grant: number): Promise<TicketData[]> {
    const fitting = TICKET_STATEMENTS.find(({ units }) => units >= grant) ?? TICKET_STATEMENTS.at(-1);
    if (!fitting) return [];
    const rows = await hotTransaction(this.dataSource, async (connection) => {
      // Where statistics know of few units that wait, or partitions are many, all that wait would be read to find these few.
      await connection.query('SET LOCAL enable_hashjoin = off');
      return await fitting.statement.run(connection, [jobId, grant]);
    });
    const tickets: TicketData[] = [];
    for (const row of rows) {
      for (let ordinal = row.from_ordinal; ordinal < row.to_ordinal; ordinal += 1) {
        tickets.push([Number(row.id), ordinal, jobId]);
      }
    }
    return tickets.sort(([a], [b]) => a - b);
  }

  /** After the units say that they are ticketed: if this is lost, the sweep of dispatch gaps finds them. */
  private async enqueue(unitClass: UnitClass, tickets: readonly TicketData[]): Promise<number> {
    if (tickets.length === 0) return 0;
    const at = Date.now();
    const lanes = Array.from({ length: this.settings.lanes }, (): TicketData[] => []);
    for (const ticket of tickets)
      lanes[laneOfTicket(ticket[0], ticket[1], this.settings.lanes)]?.push(ticket);
    for (const [lane, units] of lanes.entries()) {
      const batches: DispatchData[] = [];
      for (let from = 0; from < units.length; from += TICKETS_PER_BATCH) {
        batches.push({ at, units: units.slice(from, from + TICKETS_PER_BATCH) });
      }
      await this.queues.queue<DispatchData>(dispatchQueueName(unitClass, lane)).addBulk(batches);
    }
    return tickets.length;
  }
}
