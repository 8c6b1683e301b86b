import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { QUEUES, QueueService } from '../../queue/index.js';

/** Jobs of one kind that one sweep announces; the next sweep finds the others. */
const JOBS_PER_SWEEP = 1_000;
/** An ended job is looked at again for this long. */
const RECENT_HOURS = 48;

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
    queue: QUEUES.clean,
    where: `(j.state IN ('cancelled', 'failed') AND j.finished_at > now() - interval '${RECENT_HOURS} hours'
             AND ((SELECT u.id FROM work_unit u WHERE u.job_id = j.id AND u.state = 'open' LIMIT 1) IS NOT NULL
                  OR (SELECT u.id FROM work_unit u WHERE u.job_id = j.id AND u.state = 'awaiting-output' LIMIT 1) IS NOT NULL))
            OR (j.deleted_at IS NOT NULL AND j.deleted_at > now() - interval '${RECENT_HOURS} hours'
                AND ((SELECT u.id FROM work_unit u WHERE u.job_id = j.id ORDER BY u.job_id, u.id LIMIT 1) IS NOT NULL
                     OR (SELECT r.role FROM blob_reference r WHERE r.owner_kind = 'job' AND r.owner_id = j.id LIMIT 1) IS NOT NULL))`,
  },
] as const;

/** Announces again what was announced to nobody: a crash between commit and enqueueing, or a queue that lost its memory. */
@Injectable()
export class JobSweep {
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
      for (const { id } of jobs)
        await this.queues.queue<{ jobId: string }>(queue).add({ jobId: id }, { dedupeId: id });
      announced += jobs.length;
    }
    return announced;
  }
}
