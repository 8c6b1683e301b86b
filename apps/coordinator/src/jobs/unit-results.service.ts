import { Injectable } from '@nestjs/common';
import { outcome, trapKind, unitParams, unitState, type UnitResult } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { idFromCursor, toPage, type Page } from '../http/index.js';

const resultRows = z.array(
  z.object({
    id: z.string(),
    index_in_job: z.coerce.number(),
    state: unitState,
    params: unitParams,
    blocked: z.string().nullable(),
    failure: z.string().nullable(),
    outcome: outcome.nullable(),
    exit_code: z.coerce.number().nullable(),
    trap_kind: trapKind.nullable(),
    cycles: z.string().nullable(),
    digest: z.string().nullable(),
    stderr: z.string().nullable(),
  }),
);
type ResultRow = z.infer<typeof resultRows>[number];

const FIRST_UNIT = '0';

/** Literals, not parameters: the planner has to see that a partial index holds every unit of the state. */
const STATE_IS: Readonly<Record<UnitResult['state'], string>> = {
  open: "u.state = 'open'",
  'awaiting-output': "u.state = 'awaiting-output'",
  valid: "u.state = 'valid'",
  failed: "u.state = 'failed'",
  cancelled: "u.state = 'cancelled'",
};

/** The units of one job, each with its settled result. */
@Injectable()
export class UnitResults {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Units in job order. What volunteers agreed on stays private while the job runs, or one could copy another's answer;
   * failed units say at once what went wrong, because their scientist has to act.
   */
  async list(
    jobId: string,
    state: UnitResult['state'] | undefined,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page<UnitResult>> {
    const rows = resultRows.parse(
      await this.dataSource.query(
        `SELECT u.id, u.index_in_job, u.state, u.params, u.blocked, u.failure, t.outcome,
                CASE WHEN t.outcome = 'exit' THEN t.exit_code END AS exit_code,
                CASE WHEN t.outcome = 'trap' THEN t.trap_kind END AS trap_kind, t.cycles::text AS cycles,
                encode(t.digest, 'hex') AS digest, t.stderr
           FROM work_unit u JOIN job j ON j.id = u.job_id
           LEFT JOIN LATERAL (
             SELECT * FROM task t WHERE t.unit_id = u.id AND t.outcome IS NOT NULL
                AND (j.state IN ('completed', 'failed', 'cancelled') OR u.state = 'failed')
              ORDER BY t.ordinal = u.canonical_ordinal DESC NULLS LAST, t.ordinal LIMIT 1
           ) t ON true
          WHERE u.job_id = $1 AND u.id > $2 AND ${state === undefined ? 'true' : STATE_IS[state]}
          ORDER BY u.id LIMIT $3`,
        [jobId, cursor === undefined ? FIRST_UNIT : idFromCursor(cursor), limit + 1],
      ),
    );
    return toPage(rows, limit, present, ({ id }) => [id]);
  }
}

function present(row: ResultRow): UnitResult {
  return {
    unitId: Number(row.id),
    index: row.index_in_job,
    state: row.state,
    params: row.params,
    outcome: row.outcome,
    exitCode: row.exit_code,
    trapKind: row.trap_kind,
    cycles: row.cycles,
    digest: row.digest,
    stderr: row.stderr,
    blocked: row.blocked,
    failure: row.failure,
  };
}
