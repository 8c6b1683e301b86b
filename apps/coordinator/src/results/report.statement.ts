import type { Outcome, TaskState, UnitState } from '@gleaner/protocol';
import { plainArray, PreparedStatement, type Queryable, textArray, tokenArray } from '../database/index.js';
import { ARE_DECLARED, outputColumns } from './declared-outputs.js';

/** An output as the task's row keeps it: with its bytes where these are few, else by the blob of the same digest. */
export interface StoredOutput {
  readonly name: string;
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly base64?: string;
}

/** A report whose digest was checked. */
export interface CheckedReport {
  readonly unitId: number;
  readonly ordinal: number;
  readonly accountId: string;
  readonly outcome: Outcome;
  readonly exitCode: number;
  readonly trapKind: string | null;
  readonly cycles: string;
  readonly digest: string;
  readonly runtimeVersion: string;
  readonly outputs: readonly StoredOutput[];
  readonly outputsHeld: boolean;
  readonly stderr: string | null;
  readonly cpuMs: number | null;
}

export interface ReportRow {
  /** Position of the report in its batch, from 1. */
  readonly n: number;
  /** null: this account never had such a task. */
  readonly task_state: TaskState | null;
  readonly host_id: string | null;
  readonly unit_state: UnitState | null;
  readonly settled_by_agreement: boolean;
  /** An earlier report of the task was stored. */
  readonly has_result: boolean;
  readonly stored: boolean;
  /** Stored, and something may follow for the unit: what remains just waits for other volunteers. */
  readonly unit_may_change: boolean;
  /** Both null where the job declares what was reported. */
  readonly job_output_names: string[] | null;
  readonly job_output_bytes: number | null;
  readonly elapsed_ms: number | null;
}

/**
 * Stores a batch of reports where the task's state allows it. A repeat changes nothing. A lost task's result counts again
 * unless its account has another counting task of the unit by now. Outputs other than those that the job declares end the task
 * as one that could not be computed: nothing of them is kept, and others get the unit.
 *
 * Most reports are a unit's first, from which nothing follows; nobody needs to be told of those. Something may where there are
 * results enough for a quorum, a task came to nothing, or all that are wanted have ended. The unit's other tasks are looked at
 * after the own one was written: of two statements that write at the same time, the later one finds the other's mark (`xmax`) on
 * the task it looks at. A statement that had to wait may not see tasks that were assigned and reported meanwhile, so it calls for
 * a look at all of its units. What this misses, because a process ended before it announced the unit, the sweep's narrower
 * condition finds (`sweep-open-units`).
 */
const storeReports = new PreparedStatement<ReportRow>(
  'store-reports',
  `WITH report AS MATERIALIZED (
     SELECT r.*, t.state AS task_state, t.host_id, t.distinct_key, t.counts AS counted, u.state AS unit_state,
            u.canonical_ordinal IS NOT NULL AS settled_by_agreement, t.outcome IS NOT NULL AS has_result, ${ARE_DECLARED} AS declared, u.wanted, j.quorum,
            j.output_names AS job_output_names, j.output_bytes AS job_output_bytes,
            extract(epoch FROM now() - t.assigned_at) * 1000 AS elapsed_ms
       FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::outcome[], $5::bigint[], $6::text[], $7::numeric[],
                   $8::text[], $9::text[], $10::text[], $11::boolean[], $12::text[], $13::real[], $14::text[], $15::bigint[]) WITH ORDINALITY
            AS r(unit_id, ordinal, account_id, outcome, exit_code, trap_kind, cycles, digest, runtime_version, outputs,
                 outputs_held, stderr, cpu_ms, output_names, output_bytes, n)
       LEFT JOIN task t ON t.unit_id = r.unit_id AND t.ordinal = r.ordinal AND t.account_id = r.account_id
       LEFT JOIN work_unit u ON u.id = t.unit_id
       LEFT JOIN job j ON j.id = u.job_id
   ), judged AS (
     SELECT *, row_number() OVER (PARTITION BY unit_id, distinct_key, is_vote ORDER BY ordinal) AS nth
       FROM (SELECT *, CASE WHEN declared THEN outcome ELSE 'infrastructure' END AS judged_outcome,
                    declared AND outcome <> 'infrastructure' AND NOT has_result
                    AND task_state IN ('in-progress', 'lost', 'aborted') AS is_vote
               FROM report) r
   ), touched AS (
     -- A decision hears of results for the tasks in progress that it ends, and of no others. So these change the row of their
     -- unit, which a decision is bound to, and wait for one that is being saved: it may settle the unit.
     UPDATE work_unit u SET blocked = u.blocked
       -- In the order of their ids, as decisions do: batches with the same units would wait for each other for ever.
       FROM (SELECT unit_id, unit_state FROM report
              WHERE task_state IN ('lost', 'aborted') AND unit_state IN ('open', 'awaiting-output') ORDER BY unit_id) r
      WHERE u.id = r.unit_id AND u.state = r.unit_state
     RETURNING u.id
   ), stored AS (
     UPDATE task t
        SET state = CASE r.judged_outcome WHEN 'infrastructure' THEN 'error'::task_state ELSE 'reported' END,
            -- One statement does not see what it changes itself: of late results that come together the first counts.
            counts = r.judged_outcome <> 'infrastructure' AND (r.counted OR r.nth = 1 AND NOT EXISTS (
              SELECT FROM task o WHERE o.unit_id = r.unit_id AND o.distinct_key = r.distinct_key AND o.counts)),
            reported_at = now(), outcome = r.judged_outcome, exit_code = r.exit_code, trap_kind = r.trap_kind, cycles = r.cycles,
            digest = decode(r.digest, 'hex'), runtime_version = r.runtime_version,
            outputs = CASE WHEN r.declared THEN r.outputs::jsonb END, outputs_held = r.outputs_held AND r.declared,
            stderr = CASE WHEN r.declared THEN r.stderr ELSE 'Its outputs are not those that the job declares.' END,
            cpu_ms = r.cpu_ms
       -- In their order, as whoever ends tasks does.
       FROM (SELECT * FROM judged ORDER BY unit_id, ordinal) r
      WHERE t.unit_id = r.unit_id AND t.ordinal = r.ordinal
        AND t.state = r.task_state AND t.state IN ('in-progress', 'lost', 'aborted') AND t.outcome IS NULL
        AND CASE WHEN r.unit_state IN ('open', 'awaiting-output')
                 THEN r.task_state = 'in-progress' OR r.unit_id IN (SELECT id FROM touched)
                 ELSE r.settled_by_agreement END
        -- Units before tasks, as decisions do.
        AND (SELECT count(*) FROM touched) >= 0
     RETURNING t.unit_id, t.ordinal, t.host_id, t.state
   ), released AS (
     -- Not that of a task whose report is refused: where a claim and the decision that failed the unit did not see each other,
     -- the lease is what the task is found by.
     DELETE FROM lease l USING stored s WHERE l.host_id = s.host_id AND l.unit_id = s.unit_id AND l.ordinal = s.ordinal
   )
   SELECT r.n::integer AS n, r.task_state, r.host_id, r.unit_state, coalesce(r.settled_by_agreement, false) AS settled_by_agreement,
          coalesce(r.has_result, false) AS has_result,
          s.unit_id IS NOT NULL AS stored, coalesce(r.unit_state <> 'open' OR s.state = 'error' OR others.may_change
            OR clock_timestamp() > statement_timestamp() + interval '100 milliseconds', false) AS unit_may_change,
          CASE WHEN NOT r.declared THEN r.job_output_names END AS job_output_names,
          CASE WHEN NOT r.declared THEN r.job_output_bytes END::float8 AS job_output_bytes, r.elapsed_ms::float8 AS elapsed_ms
     FROM report r LEFT JOIN stored s ON s.unit_id = r.unit_id AND s.ordinal = r.ordinal
     LEFT JOIN LATERAL (
       SELECT count(*) FILTER (WHERE o.state = 'reported' OR o.xmax <> '0') + 1 >= r.quorum
              OR count(*) FILTER (WHERE o.state IN ('error', 'lost', 'aborted')) > 0
              OR count(*) + 1 >= r.wanted AND count(*) FILTER (WHERE o.state = 'in-progress' AND o.xmax = '0') = 0 AS may_change
         FROM task o
        WHERE o.unit_id = s.unit_id AND o.ordinal <> s.ordinal
     ) others ON true`,
);

/** Runs {@link storeReports}; the rows are those of the reports, in their order. No two reports may name the same task. */
export async function runReports(
  connection: Queryable,
  reports: readonly CheckedReport[],
): Promise<Array<ReportRow | undefined>> {
  const rows = await storeReports.run(connection, [
    plainArray(reports.map((report) => report.unitId)),
    plainArray(reports.map((report) => report.ordinal)),
    tokenArray(reports.map((report) => report.accountId)),
    tokenArray(reports.map((report) => report.outcome)),
    plainArray(reports.map((report) => report.exitCode)),
    tokenArray(reports.map((report) => report.trapKind)),
    tokenArray(reports.map((report) => report.cycles)),
    tokenArray(reports.map((report) => report.digest)),
    textArray(reports.map((report) => report.runtimeVersion)),
    textArray(reports.map((report) => (report.outputs.length === 0 ? null : JSON.stringify(report.outputs)))),
    plainArray(reports.map((report) => report.outputsHeld)),
    textArray(reports.map((report) => report.stderr)),
    plainArray(reports.map((report) => report.cpuMs)),
    ...outputColumns(reports),
  ]);
  const answers = new Array<ReportRow | undefined>(reports.length).fill(undefined);
  for (const row of rows) answers[row.n - 1] = row;
  return answers;
}
