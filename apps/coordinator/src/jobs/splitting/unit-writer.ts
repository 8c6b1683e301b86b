import { Inject, Injectable } from '@nestjs/common';
import type { UnitToCreate } from '@gleaner/domain';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { DATABASE_MOVED, noteTakeover } from '../../database/index.js';
import { LOGGER, type Logger } from '../../telemetry/index.js';

/** Partitions exist this many units ahead, so that no batch waits for one to be made. */
const UNITS_AHEAD = 1 << 20;

const idRows = z.tuple([z.object({ first: z.coerce.number() })]);
const jobRows = z.array(z.object({ state: z.string(), units_split: z.coerce.number() }));

/** Writes batches of work units. */
@Injectable()
export class UnitWriter {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Adds units that follow directly on those that the job has, and moves the job's cursor past them: both or neither.
   *
   * @returns false, and nothing is written, where the job no longer splits or another process was faster
   */
  async append(jobId: string, quorum: number, units: readonly UnitToCreate[]): Promise<boolean> {
    const [first] = units;
    if (!first) return true;
    const firstId = await this.takeIds(units.length);
    return await this.dataSource.transaction(async (manager) => {
      if (!(await isAt(manager, jobId, first.index))) return false;
      await manager.query(
        `INSERT INTO work_unit (id, job_id, index_in_job, wanted, params, windows)
         SELECT $1::bigint + n - 1, $2, $3::bigint + n - 1, $4, unit -> 0, unit -> 1
           FROM jsonb_array_elements($5::jsonb) WITH ORDINALITY AS u (unit, n)`,
        [
          firstId,
          jobId,
          first.index,
          quorum,
          JSON.stringify(units.map((unit) => [unit.params, unit.windows])),
        ],
      );
      await manager.query('UPDATE job SET units_split = units_split + $2 WHERE id = $1', [
        jobId,
        units.length,
      ]);
      return true;
    });
  }

  /**
   * A block of consecutive ids, greater than all before; those of a failed write are never used. Ids in job order let the
   * merge read a job's units from one end to the other.
   */
  private async takeIds(count: number): Promise<number> {
    for (;;) {
      const first = await this.drawIds(count);
      // Afterwards, so that none are kept of a server that has just taken over, and does not know what the one before gave out.
      if (!(await noteTakeover(this.dataSource))) return first;
      this.logger.warn({ event: 'database-moved' }, DATABASE_MOVED);
    }
  }

  private async drawIds(count: number): Promise<number> {
    return await this.dataSource.transaction(async (manager) => {
      await manager.query("SELECT pg_advisory_xact_lock(hashtext('work_unit_id_seq'))");
      const [{ first }] = idRows.parse(await manager.query("SELECT nextval('work_unit_id_seq') AS first"));
      const last = first + count - 1;
      await manager.query("SELECT setval('work_unit_id_seq', $1), make_unit_partitions($1 + $2)", [
        last,
        UNITS_AHEAD,
      ]);
      return first;
    });
  }
}

/** Whether the job still splits and its next unit is the one of this index; its row stays locked. */
async function isAt(manager: EntityManager, jobId: string, index: number): Promise<boolean> {
  const [job] = jobRows.parse(
    await manager.query(
      'SELECT state, units_split FROM job WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
      [jobId],
    ),
  );
  return job?.state === 'splitting' && job.units_split === index;
}
