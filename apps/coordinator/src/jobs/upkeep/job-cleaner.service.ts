import { rm } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { UnitEvent } from '@gleaner/domain';
import { LIMITS } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { BlobReferences } from '../../blobs/index.js';
import { CONFIG, type Config } from '../../config/index.js';
import { LOGGER, type Logger } from '../../telemetry/index.js';
import { ValidationService } from '../../validation/index.js';
import { foldingDirectory } from '../assimilation/index.js';

/** Units that nobody was sent yet and that are settled by one statement. */
const UNTOUCHED_PER_BATCH = 10_000;
/** Units with tasks, whose hosts have to be told. */
const UNITS_PER_BATCH = 500;
const REMOVED_PER_BATCH = 2_000;

const CANCELLED: UnitEvent = { kind: 'cancelled' };

const idRows = z.array(z.object({ id: z.coerce.number() }));
const pageRows = z.tuple([z.object({ count: z.coerce.number(), last: z.coerce.number().nullable() })]);
const shaRows = z.array(z.object({ sha256: z.string() }));
const jobRows = z.array(z.object({ state: z.string(), deleted: z.boolean() }));

/** Puts the units of ended jobs to rest, in batches that can be repeated and interrupted anywhere. */
@Injectable()
export class JobCleaner {
  constructor(
    private readonly dataSource: DataSource,
    private readonly validation: ValidationService,
    private readonly references: BlobReferences,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Cancels what a cancelled or failed job left open, and removes everything of a deleted one but its credit. */
  async clean(jobId: string, signal?: AbortSignal): Promise<void> {
    const [job] = jobRows.parse(
      await this.dataSource.query('SELECT state, deleted_at IS NOT NULL AS deleted FROM job WHERE id = $1', [
        jobId,
      ]),
    );
    if (job?.state !== 'cancelled' && job?.state !== 'failed' && !job?.deleted) return;
    // Nobody folds it any more: what a coordinator that was killed has left of that is nobody's.
    await rm(foldingDirectory(this.config, jobId), { recursive: true, force: true });
    const untouched = await this.cancelUntouchedUnits(jobId, signal);
    const touched = await this.cancelUnits(jobId, signal);
    const removed = job.deleted ? await this.removeUnits(jobId, signal) : 0;
    this.logger.info({ event: 'job-cleaned', jobId, cancelled: untouched + touched, removed });
  }

  private async cancelUntouchedUnits(jobId: string, signal: AbortSignal | undefined): Promise<number> {
    let total = 0;
    for (let after = 0; ;) {
      signal?.throwIfAborted();
      const [{ count, last }] = await this.dataSource.transaction((manager) =>
        cancelUntouchedBatch(manager, jobId, after),
      );
      total += count;
      if (count < UNTOUCHED_PER_BATCH || last === null) return total;
      after = last;
    }
  }

  private async cancelUnits(jobId: string, signal: AbortSignal | undefined): Promise<number> {
    let total = 0;
    for (let after = 0; ;) {
      signal?.throwIfAborted();
      const page = idRows.parse(
        await this.dataSource.query(
          `SELECT id FROM work_unit
            WHERE job_id = $1 AND id > $2 AND state IN ('open', 'awaiting-output')
            ORDER BY id LIMIT ${UNITS_PER_BATCH}`,
          [jobId, after],
        ),
      );
      const last = page.at(-1);
      if (!last) return total;
      await this.validation.apply(new Map(page.map(({ id }) => [id, CANCELLED])));
      total += page.length;
      after = last.id;
    }
  }

  private async removeUnits(jobId: string, signal: AbortSignal | undefined): Promise<number> {
    let total = 0;
    for (let after = 0; ;) {
      signal?.throwIfAborted();
      const removed = await this.dataSource.transaction((manager) => removeBatch(manager, jobId, after));
      total += removed.length;
      const last = removed.at(-1);
      if (last === undefined) break;
      after = last;
    }
    await this.dataSource.transaction(async (manager) => {
      // That no units are left is what sweeps know it by.
      await manager.query('UPDATE job SET output_sha256 = NULL, units_split = 0 WHERE id = $1', [jobId]);
      await this.references.removeAll(manager, { kind: 'job', id: jobId });
    });
    return total;
  }
}

async function cancelUntouchedBatch(
  manager: EntityManager,
  jobId: string,
  after: number,
): Promise<z.infer<typeof pageRows>> {
  // Unit by unit: where partitions are many, the planner would rather read the units and tasks of all jobs.
  await manager.query('SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off');
  return pageRows.parse(
    await manager.query(
      `WITH untouched AS MATERIALIZED (
       -- A unit whose first ticket is made anew can have tasks.
       SELECT id FROM work_unit u WHERE job_id = $1 AND id > $2 AND state = 'open' AND ticketed = 0
          AND NOT EXISTS (SELECT FROM task t WHERE t.unit_id = u.id)
        ORDER BY job_id, id LIMIT ${UNTOUCHED_PER_BATCH} FOR NO KEY UPDATE SKIP LOCKED
     ), cancelled AS (
       UPDATE work_unit u SET state = 'cancelled', settled_at = now(), blocked = NULL
         FROM untouched WHERE u.id = untouched.id AND u.id > $2 RETURNING u.id
     ), tallied AS (
       INSERT INTO job_tally AS tally (job_id, units_cancelled)
       SELECT $1, count(*) FROM cancelled HAVING count(*) > 0
       ON CONFLICT (job_id) DO UPDATE SET units_cancelled = tally.units_cancelled + excluded.units_cancelled
     )
     SELECT count(*) AS count, max(id) AS last FROM cancelled`,
      [jobId, after],
    ),
  );
}

/** Credit entries stay: they are about volunteers, not about the job. Returns the ids of what went, in order. */
async function removeBatch(manager: EntityManager, jobId: string, after: number): Promise<readonly number[]> {
  const ids = idRows
    .parse(
      await manager.query(
        `SELECT id FROM work_unit WHERE job_id = $1 AND id > $2
          ORDER BY job_id, id LIMIT ${REMOVED_PER_BATCH} FOR UPDATE`,
        [jobId, after],
      ),
    )
    .map(({ id }) => id);
  if (ids.length === 0) return ids;
  // Tasks, leases, blobs, references: in the order of all others. The owner of a task's blobs is numbered as taskBlobOwner() does.
  await manager.query(
    'SELECT FROM task WHERE unit_id = ANY ($1::bigint[]) ORDER BY unit_id, ordinal FOR UPDATE',
    [ids],
  );
  // By the leases' own key, which begins with the host.
  await manager.query(
    `DELETE FROM lease l USING (
            SELECT host_id, unit_id, ordinal FROM task WHERE unit_id = ANY ($1::bigint[]) ORDER BY unit_id, ordinal) t
      WHERE l.host_id = t.host_id AND l.unit_id = t.unit_id AND l.ordinal = t.ordinal`,
    [ids],
  );
  await manager.query(
    `SELECT FROM blob WHERE sha256 IN (
            SELECT r.sha256 FROM task t JOIN blob_reference r
                ON r.owner_kind = 'task' AND r.owner_id = t.unit_id * ${LIMITS.tasksPerUnit} + t.ordinal
             WHERE t.unit_id = ANY ($1::bigint[]))
      ORDER BY sha256 FOR UPDATE`,
    [ids],
  );
  const freed = shaRows.parse(
    await manager.query(
      `WITH task_gone AS (
         DELETE FROM task WHERE unit_id = ANY ($1::bigint[]) RETURNING unit_id * ${LIMITS.tasksPerUnit} + ordinal AS owner
       ), gone AS (
         DELETE FROM blob_reference r USING task_gone t
          WHERE r.owner_kind = 'task' AND r.owner_id = t.owner RETURNING r.sha256
       )
       SELECT encode(b.sha256, 'hex') AS sha256 FROM blob b
        WHERE b.sha256 IN (SELECT sha256 FROM gone) ORDER BY b.sha256 FOR UPDATE`,
      [ids],
    ),
  );
  await manager.query(
    `UPDATE blob b SET unreferenced_since = now()
      WHERE b.sha256 IN (SELECT decode(d, 'hex') FROM unnest($1::text[]) d)
        AND NOT EXISTS (SELECT FROM blob_reference r WHERE r.sha256 = b.sha256)`,
    [freed.map(({ sha256 }) => sha256)],
  );
  await manager.query('DELETE FROM work_unit WHERE id = ANY ($1::bigint[])', [ids]);
  return ids;
}
