import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { QUEUES, QueueService } from '../../queue/index.js';

/** Jobs of one kind that one sweep announces; the next sweep finds the others. */
const JOBS_PER_SWEEP = 1_000;
/** Ended jobs that one sweep looks at; the next goes on behind them, and after the last begins anew. */
const ENDED_PER_SWEEP = 5_000;

const idRows = z.array(z.object({ id: z.string() }));

/**
 * Scalar subqueries, because Postgres would answer EXISTS under OR by hashing the units of all jobs; and IS NOT NULL before
 * what is costly, because AND after NULL goes on.
 */
const OVERDUE = [
  { queue: QUEUES.split, where: "j.state = 'splitting' AND j.deleted_at IS NULL" },
  {
    queue: QUEUES.assimilate,
    where: `(j.state = 'assimilating' OR j.state = 'running' AND j.units_split <= (
              SELECT t.units_valid + t.units_failed + t.units_cancelled FROM job_tally t WHERE t.job_id = j.id))
            AND j.deleted_at IS NULL`,
  },
  {
    queue: QUEUES.assimilate,
    where: `j.state = 'paused' AND j.split_at IS NOT NULL AND j.deleted_at IS NULL AND j.units_split <= (
              SELECT t.units_failed FROM job_tally t WHERE t.job_id = j.id)`,
  },
] as const;

/**
 * Ended jobs that have something left to be put to rest, of those behind `$1`; and where to go on, null behind the last. Nearly all
 * were put to rest long ago, which their own rows tell: units are looked for in every partition.
 */
const UNCLEAN = `
  WITH ended AS MATERIALIZED (
    SELECT j.id, j.deleted_at, j.units_split,
           j.state IN ('cancelled', 'failed') AND j.units_split > coalesce(
             (SELECT t.units_valid + t.units_failed + t.units_cancelled FROM job_tally t WHERE t.job_id = j.id), 0) AS is_unsettled
      FROM job j
     WHERE (j.state IN ('cancelled', 'failed') OR j.deleted_at IS NOT NULL) AND j.id > $1
     ORDER BY j.id LIMIT ${ENDED_PER_SWEEP}
  ), unclean AS (
    SELECT j.id FROM ended j
     WHERE (j.deleted_at IS NOT NULL
            AND (j.units_split > 0
                 OR (SELECT r.role FROM blob_reference r WHERE r.owner_kind = 'job' AND r.owner_id = j.id LIMIT 1) IS NOT NULL))
        OR (j.is_unsettled
            AND ((SELECT u.id FROM work_unit u WHERE u.job_id = j.id AND u.state = 'open' LIMIT 1) IS NOT NULL
                 OR (SELECT u.id FROM work_unit u WHERE u.job_id = j.id AND u.state = 'awaiting-output' LIMIT 1) IS NOT NULL))
     ORDER BY j.id LIMIT ${JOBS_PER_SWEEP}
  )
  SELECT ARRAY(SELECT id::text FROM unclean) AS ids,
         CASE WHEN (SELECT count(*) FROM unclean) = ${JOBS_PER_SWEEP} THEN (SELECT max(id) FROM unclean)
              WHEN (SELECT count(*) FROM ended) = ${ENDED_PER_SWEEP} THEN (SELECT max(id) FROM ended) END AS next`;
const uncleanRows = z.tuple([z.object({ ids: z.array(z.string()), next: z.string().nullable() })]);
const FIRST = '0';

/** Announces again what was announced to nobody: a crash between commit and enqueueing, or a queue that lost its memory. */
@Injectable()
export class JobSweep {
  /** The last ended job that was looked at. */
  private endedSeen = FIRST;

  constructor(
    private readonly dataSource: DataSource,
    private readonly queues: QueueService,
  ) {}

  /** @returns how many jobs were announced; those that are being worked on are recognised and not started twice */
  async sweep(): Promise<number> {
    let announced = 0;
    for (const { queue, where } of OVERDUE) {
      const jobs = idRows.parse(
        await this.dataSource.query(
          `SELECT j.id FROM job j WHERE ${where} ORDER BY j.id LIMIT ${JOBS_PER_SWEEP}`,
        ),
      );
      announced += await this.announce(
        queue,
        jobs.map(({ id }) => id),
      );
    }
    const [{ ids, next }] = uncleanRows.parse(await this.dataSource.query(UNCLEAN, [this.endedSeen]));
    announced += await this.announce(QUEUES.clean, ids);
    this.endedSeen = next ?? FIRST;
    return announced;
  }

  private async announce(queue: string, ids: readonly string[]): Promise<number> {
    for (const id of ids)
      await this.queues.queue<{ jobId: string }>(queue).add({ jobId: id }, { dedupeId: id });
    return ids.length;
  }
}
