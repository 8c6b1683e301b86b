import { whyJobWaits } from '@gleaner/domain';
import { blobId, jobSpec, jobState, type Job } from '@gleaner/protocol';
import { z } from 'zod';
import { WORKERS_GONE_SINCE } from '../database/index.js';

/** Units in dispatch that are looked through for blocked ones: a job may have millions, and a status must stay cheap. */
const INSPECTED_UNITS = 1_000;

/** A job with its counts. Blocked units are counted among those in dispatch, up to {@link INSPECTED_UNITS}. */
export const JOB_SELECT = `
  SELECT j.id, p.slug AS project, j.account_id, j.name, app.name || '@' || v.version AS app, j.state, j.state_reason, j.units_split,
         v.approved_at IS NOT NULL AS approved, ${WORKERS_GONE_SINCE} AS workers_gone_since,
         j.spec, j.created_at, j.finished_at, 'sha256:' || encode(j.output_sha256, 'hex') AS output, b.size_bytes AS output_bytes,
         coalesce(t.units_valid, 0) AS valid, coalesce(t.units_failed, 0) AS failed,
         coalesce(t.units_cancelled, 0) AS cancelled, coalesce(t.tasks, 0) AS tasks, coalesce(t.cycles, 0)::text AS cycles,
         (SELECT count(*) FROM work_unit u WHERE u.job_id = j.id AND u.state = 'awaiting-output') AS awaiting_output,
         (SELECT json_build_array(count(u.blocked), mode() WITHIN GROUP (ORDER BY u.blocked)) FROM (SELECT blocked FROM work_unit
            WHERE job_id = j.id AND state = 'open' AND ticketed_at IS NOT NULL LIMIT ${INSPECTED_UNITS}) u) AS blocked
    FROM job j JOIN project p ON p.id = j.project_id JOIN app_version v ON v.id = j.app_version_id
         JOIN app ON app.id = v.app_id CROSS JOIN installation i LEFT JOIN job_tally t ON t.job_id = j.id LEFT JOIN blob b ON b.sha256 = j.output_sha256`;

/** Submitters see their jobs, scientists those of their projects, operators all. `$1` operator, `$2` account. */
export const JOB_VISIBLE = `j.deleted_at IS NULL AND ($1 OR j.account_id = $2 OR EXISTS (
    SELECT FROM project_scientist s WHERE s.project_id = j.project_id AND s.account_id = $2))`;

const count = z.coerce.number().int();

export const jobRow = z.object({
  id: z.string(),
  project: z.string(),
  account_id: z.string(),
  name: z.string(),
  app: z.string(),
  state: jobState,
  state_reason: z.string().nullable(),
  units_split: count,
  approved: z.boolean(),
  workers_gone_since: z.date().nullable(),
  spec: jobSpec,
  created_at: z.date(),
  finished_at: z.date().nullable(),
  output: blobId.nullable(),
  output_bytes: count.nullable(),
  valid: count,
  failed: count,
  cancelled: count,
  awaiting_output: count,
  /** How many, and what most of them wait for. */
  blocked: z.tuple([count, z.string().nullable()]),
  tasks: count,
  cycles: z.string(),
});
export type JobRow = z.infer<typeof jobRow>;

/** @param queueTrouble what is wrong with the queue; null: nothing is known to be */
export function presentJob(row: JobRow, queueTrouble: string | null): Job {
  // What an ended job left open is as good as cancelled; doing it takes a moment where there are millions.
  const isEnded = row.state === 'cancelled' || row.state === 'failed';
  const cancelled = isEnded ? row.units_split - row.valid - row.failed : row.cancelled;
  const awaitingOutput = isEnded ? 0 : row.awaiting_output;
  const settled = row.valid + row.failed + cancelled;
  // Counts and tally are read in one statement, yet a unit may settle between two of its parts.
  const open = Math.max(0, row.units_split - settled - awaitingOutput);
  const [blocked, blockedReason] = row.blocked;
  return {
    id: row.id,
    project: row.project,
    accountId: row.account_id,
    name: row.name,
    app: row.app,
    state: row.state,
    stateReason:
      row.state_reason ??
      whyJobWaits({
        state: row.state,
        app: row.app,
        isAppApproved: row.approved,
        workersGoneSince: row.workers_gone_since,
        queueTrouble,
      }),
    units: {
      total: row.units_split,
      open,
      awaitingOutput,
      valid: row.valid,
      failed: row.failed,
      cancelled,
      blocked: Math.min(blocked, open),
    },
    blockedReason: open === 0 ? null : blockedReason,
    progressPermille:
      row.units_split === 0 ? 0 : Math.floor((1000 * (row.valid + row.failed)) / row.units_split),
    tasks: row.tasks,
    validatedCycles: row.cycles,
    output: row.output === null ? null : { blobId: row.output, sizeBytes: row.output_bytes ?? 0 },
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    spec: row.spec,
  };
}
