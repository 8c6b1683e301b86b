import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { UnitEvent } from '@gleaner/domain';
import { DataSource } from 'typeorm';
import { hotPool, PreparedStatement } from '../database/index.js';
import { QUEUES, QueueService } from '../queue/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { Examiner, ValidationService } from '../validation/index.js';
import { JobDirectory, type RunningJob } from './job-directory.js';
import { LeasesService } from './leases.service.js';
import { type QueuedTicket, QueuedTickets } from './queued-tickets.service.js';
import { withdrawTickets } from './withdraw-tickets.statement.js';

/** Whatever was announced less than this ago is still on its way. */
const GRACE_MS = 10_000;
/** Open units that one sweep looks at, over all jobs; the next one goes on behind them. */
const UNITS_PER_SWEEP = 20_000;
const UNITS_PER_STATEMENT = 500;
/** Between two statements: whoever asks for work must not wait for somebody who looks for what hardly ever happens. */
const PAUSE_MS = 60;
const EVENTS_PER_BATCH = 500;

interface OpenUnitRow {
  readonly id: string;
  readonly ticketed_at: string;
  /** Ordinals whose tickets went out and have no task; null: none. */
  readonly without_task: readonly number[] | null;
  readonly needs_examination: boolean;
}

/**
 * Open units whose tickets went out, oldest first, behind a cursor. To be examined are those with results enough for a
 * decision, those that nobody works on, and those whose note on what they wait for is out of date.
 *
 * Not the condition of `store-reports`, which looks at a unit once, when a result comes, and would rather have it decided on in vain: one
 * task that came to nothing is enough there. Here every open unit comes by again and again, so that only those count that no further
 * report, lease or ticket would bring up.
 */
const readOpenUnits = new PreparedStatement<OpenUnitRow>(
  'sweep-open-units',
  `SELECT u.id, u.ticketed_at::text AS ticketed_at,
          CASE WHEN t.are_out THEN ARRAY(
            SELECT o FROM generate_series(0, u.ticketed - 1) o
             WHERE NOT EXISTS (SELECT FROM task x WHERE x.unit_id = u.id AND x.ordinal = o) ORDER BY o) END AS without_task,
          t.reported >= j.quorum OR (t.working = 0 AND NOT t.are_out)
          OR (u.blocked IS NULL) <> (t.reported = 0 OR t.working > 0) AS needs_examination
     FROM work_unit u JOIN job j ON j.id = u.job_id
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE t.state = 'reported' AND t.reported_at < now() - $5 * interval '1 millisecond') AS reported,
              count(*) FILTER (WHERE t.state = 'in-progress') AS working,
              count(*) < u.ticketed AS are_out
         FROM task t WHERE t.unit_id = u.id
     ) t
    WHERE u.job_id = $1 AND u.state = 'open' AND (u.ticketed_at, u.id) > ($2::timestamptz, $3::bigint)
      AND u.ticketed_at < now() - $4 * interval '1 millisecond'
    ORDER BY u.job_id, u.ticketed_at NULLS FIRST, u.id LIMIT ${UNITS_PER_STATEMENT}`,
);

const BEGINNING = { ticketedAt: '-infinity', unitId: '0' } as const;

/** Finds what crashes, flushed queues and silent hosts left behind. All of it may run anywhere, at any time, twice. */
@Injectable()
export class SweepService {
  private readonly cursors = new Map<number, { ticketedAt: string; unitId: string }>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly queues: QueueService,
    private readonly jobs: JobDirectory,
    private readonly leases: LeasesService,
    private readonly validation: ValidationService,
    private readonly examiner: Examiner,
    private readonly queued: QueuedTickets,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Each part on its own: what stops one must not stop the others. */
  async sweep(signal?: AbortSignal): Promise<void> {
    const parts = {
      leases: () => this.expireLeases(signal),
      unwanted: () => this.leases.endUnwanted(),
      uploads: () => this.endUploads(),
      open: () => this.examineOpenUnits(signal),
    };
    for (const [part, run] of Object.entries(parts)) {
      if (signal?.aborted) return;
      try {
        await run();
      } catch (error) {
        this.logger.error({ event: 'sweep-failed', part, err: error });
      }
    }
  }

  private async expireLeases(signal: AbortSignal | undefined): Promise<void> {
    while (!signal?.aborted && (await this.leases.expire()) > 0);
  }

  /** The asked host did not upload in time: the next one is asked. */
  private async endUploads(): Promise<void> {
    const { rows } = await hotPool(this.dataSource).query<{ id: string; canonical_ordinal: number }>(
      `SELECT id, canonical_ordinal FROM work_unit
        WHERE state = 'awaiting-output' AND upload_until < now() ORDER BY upload_until LIMIT ${EVENTS_PER_BATCH}`,
    );
    await this.validation.apply(
      new Map(
        rows.map((row): [number, UnitEvent] => [
          Number(row.id),
          { kind: 'output-timeout', ordinal: row.canonical_ordinal },
        ]),
      ),
    );
  }

  private async examineOpenUnits(signal: AbortSignal | undefined): Promise<void> {
    await this.jobs.refresh();
    const jobs = [...(await this.jobs.list()).values()];
    let left = UNITS_PER_SWEEP;
    for (const job of jobs) {
      while (left > 0 && !signal?.aborted) {
        const looked = await this.examineJob(job);
        left -= looked;
        if (looked < UNITS_PER_STATEMENT) break;
        await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    for (const jobId of this.cursors.keys())
      if (!jobs.some((job) => job.jobId === jobId)) this.cursors.delete(jobId);
  }

  private async examineJob({ jobId, unitClass }: RunningJob): Promise<number> {
    const { ticketedAt, unitId } = this.cursors.get(jobId) ?? BEGINNING;
    const rows = await readOpenUnits.run(hotPool(this.dataSource), [
      jobId,
      ticketedAt,
      unitId,
      GRACE_MS,
      GRACE_MS,
    ]);
    const last = rows.at(-1);
    if (last && rows.length === UNITS_PER_STATEMENT) {
      this.cursors.set(jobId, { ticketedAt: last.ticketed_at, unitId: last.id });
    } else this.cursors.delete(jobId);

    const lost = await this.queued.missing(unitClass, rows.flatMap(ticketsOf));
    if (lost.length > 0) await this.ticketAnew(jobId, lost);
    const stale = rows.filter(({ needs_examination: needed }) => needed).map(({ id }) => Number(id));
    for (let at = 0; at < stale.length; at += EVENTS_PER_BATCH) {
      await this.validation.examine(stale.slice(at, at + EVENTS_PER_BATCH));
    }
    return rows.length;
  }

  private async ticketAnew(jobId: number, lost: readonly QueuedTicket[]): Promise<void> {
    const units = await withdrawTickets(hotPool(this.dataSource), lost, { agedMs: GRACE_MS });
    // Most that seem lost on a busy coordinator are claimed in that moment.
    if (units === 0) return;
    this.logger.warn({ event: 'tickets-made-anew', jobId, units });
    await this.queues.queue(QUEUES.fill).add({}, { dedupeId: 'fill' });
  }
}

/** That went out and did not become tasks. */
function ticketsOf({ id, without_task: ordinals }: OpenUnitRow): QueuedTicket[] {
  return (ordinals ?? []).map((ordinal) => ({ unitId: Number(id), ordinal }));
}
