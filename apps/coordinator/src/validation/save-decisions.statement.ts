import { type AllowanceRules, isFinalUnitState, maxAllowancePerDay } from '@gleaner/domain';
import type { JobState } from '@gleaner/protocol';
import { PreparedStatement, type Queryable, StatementParameters } from '../database/index.js';
import { allowanceAfterSql } from './allowance-after.js';
import { type DecidedUnit, DecisionChanges, type JudgedRow } from './decision-changes.js';
import type { LoadedUnits } from './unit-reader.service.js';

/** How long an asked host has for uploading the outputs that the unit waits for. */
export const UPLOAD_WITHIN_MS = 15 * 60 * 1000;

/** Settled units of a job after a batch. */
export interface JobTallyAfter {
  readonly jobId: string;
  readonly valid: number;
  readonly failed: number;
  /** Cancelled ones included. */
  readonly settled: number;
  readonly unitsSplit: number;
  readonly state: JobState;
}

export interface Saved {
  /** Units whose decision was saved; those missing have changed meanwhile. */
  readonly unitIds: ReadonlySet<number>;
  readonly tallies: readonly JobTallyAfter[];
  /** Tasks of saved units that had changed meanwhile and stayed as they were, by {@link taskKey}: they need another look. */
  readonly missedTasks: ReadonlySet<string>;
}

export function taskKey({ unitId, ordinal }: { readonly unitId: number; readonly ordinal: number }): string {
  return `${unitId}.${ordinal}`;
}

/** What one statement writes. */
interface Batch {
  /** In the order of their ids. */
  readonly units: readonly DecidedUnit[];
  readonly changes: DecisionChanges;
  /** With the most that the host may ever take in a day. */
  readonly judged: ReadonlyArray<JudgedRow & { readonly maxPerDay: number | null }>;
  readonly lastLinkId: string;
}

const parameters = new StatementParameters<Batch>();
const lastLink = parameters.value(({ lastLinkId }) => lastLinkId);
const uploadWithinMs = parameters.value(() => UPLOAD_WITHIN_MS);
const decided = parameters.rows(
  'c',
  ({ units }) => units,
  (row) => ({
    id: row.plain('bigint', ({ unit }) => unit.unitId),
    version: row.token('text', ({ unit }) => unit.version),
    state: row.token('unit_state', ({ decision }) => decision.state),
    wanted: row.plain('smallint', ({ decision }) => decision.wanted),
    canonical: row.plain('smallint', ({ decision }) => decision.canonicalOrdinal),
    blocked: row.text(({ decision }) => decision.blocked),
    failure: row.text(({ decision }) => decision.failure),
    reticket_from: row.plain('smallint', ({ decision }) => decision.reticketFrom),
    final: row.plain('boolean', ({ decision }) => isFinalUnitState(decision.state)),
    asked: row.plain('boolean', ({ decision }) => decision.askUploadOf !== null),
  }),
);
const taskChanges = parameters.rows(
  'c',
  ({ changes }) => changes.tasks,
  (row) => ({
    unit_id: row.plain('bigint', ({ unitId }) => unitId),
    ordinal: row.plain('smallint', ({ ordinal }) => ordinal),
    before: row.token('task_state', ({ before }) => before),
    state: row.token('task_state', ({ state }) => state),
    counts: row.plain('boolean', ({ counts }) => counts),
    dropped: row.plain('boolean', ({ dropped }) => dropped),
  }),
);
const endedLeases = parameters.rows(
  'c',
  ({ changes }) => changes.released,
  (row) => ({
    host_id: row.token('bigint', ({ hostId }) => hostId),
    unit_id: row.plain('bigint', ({ unitId }) => unitId),
    ordinal: row.plain('smallint', ({ ordinal }) => ordinal),
  }),
);
const credits = parameters.rows(
  'c',
  ({ changes }) => changes.credits,
  (row) => ({
    unit_id: row.plain('bigint', ({ unitId }) => unitId),
    ordinal: row.plain('smallint', ({ ordinal }) => ordinal),
    account_id: row.token('bigint', ({ accountId }) => accountId),
    person_id: row.token('bigint', ({ personId }) => personId),
    host_id: row.token('bigint', ({ hostId }) => hostId),
    cycles: row.plain('numeric', ({ cycles }) => cycles),
    sequence: row.plain('smallint', ({ sequence }) => sequence),
  }),
);
const reversals = parameters.rows(
  'c',
  ({ changes }) => changes.reversals,
  (row) => ({
    unit_id: row.plain('bigint', ({ unitId }) => unitId),
    ordinal: row.plain('smallint', ({ ordinal }) => ordinal),
    sequence: row.plain('smallint', ({ sequence }) => sequence),
  }),
);
const judgements = parameters.rows(
  'c',
  ({ judged }) => judged,
  (row) => ({
    unit_id: row.plain('bigint', ({ unitId }) => unitId),
    host_id: row.token('bigint', ({ hostId }) => hostId),
    valid: row.plain('smallint', ({ valid }) => valid),
    invalid: row.plain('smallint', ({ invalid }) => invalid),
    errors: row.plain('smallint', ({ errors }) => errors),
    max_per_day: row.plain('integer', ({ maxPerDay }) => maxPerDay),
  }),
);
const tallies = parameters.rows(
  'c',
  ({ changes }) => changes.tallies,
  (row) => ({
    unit_id: row.plain('bigint', ({ unitId }) => unitId),
    job_id: row.token('bigint', ({ jobId }) => jobId),
    valid: row.plain('smallint', ({ valid }) => valid),
    failed: row.plain('smallint', ({ failed }) => failed),
    cancelled: row.plain('smallint', ({ cancelled }) => cancelled),
    tasks: row.plain('integer', ({ tasks }) => tasks),
    cycles: row.plain('numeric', ({ cycles }) => cycles),
  }),
);

const nextAllowance = allowanceAfterSql({
  perDay: 's.allowance_per_day',
  valid: 'c.judged_valid',
  invalid: 'c.judged_invalid',
  maxPerDay: 'c.max_per_day',
});

/**
 * Writes decisions on units whose rows are still those that were decided on; the others are left out, with everything that
 * belongs to them. One statement, so that no row stays locked while the coordinator thinks; units first, accounts in the
 * order of their ids, the job's tally, which all batches of a job share, last. Entries of the ledger have no conflict clause,
 * which would write each of them twice: whatever adds one changes its unit as well, so there is none for an unchanged unit.
 */
const saveDecisions = new PreparedStatement<SavedRow>(
  'save-decisions',
  `WITH saved AS (
     UPDATE work_unit u
        SET state = c.state, wanted = c.wanted, canonical_ordinal = c.canonical, blocked = c.blocked,
            -- Late results are judged without asking why it failed.
            failure = CASE WHEN c.state = 'failed' THEN coalesce(c.failure, u.failure) END,
            ticketed = least(u.ticketed, c.reticket_from),
            ticketed_at = CASE WHEN c.state = 'open' AND (c.wanted > u.ticketed OR c.reticket_from < u.ticketed)
                               THEN NULL ELSE u.ticketed_at END,
            settled_at = CASE WHEN c.final THEN coalesce(u.settled_at, now()) END,
            upload_until = CASE WHEN c.asked THEN now() + ${uploadWithinMs} * interval '1 millisecond'
                                WHEN c.state = 'awaiting-output' THEN u.upload_until END
       FROM ${decided}
      WHERE u.id = c.id AND u.xmin::text = c.version
        -- Who is one person was looked up before; where it has changed, all of it has to be thought about again.
        AND NOT EXISTS (SELECT FROM link_review r WHERE r.id > ${lastLink})
     RETURNING u.id
   ), task_changed AS (
     UPDATE task t
        SET state = c.state, counts = c.counts,
            outputs = CASE WHEN c.dropped THEN NULL ELSE t.outputs END,
            outputs_held = t.outputs_held AND NOT c.dropped
       FROM ${taskChanges}
       JOIN saved ON saved.id = c.unit_id
      WHERE t.unit_id = c.unit_id AND t.ordinal = c.ordinal AND t.state = c.before
     RETURNING t.unit_id, t.ordinal
   ), missed AS (
     SELECT c.unit_id, c.ordinal FROM ${taskChanges} JOIN saved ON saved.id = c.unit_id
     EXCEPT ALL SELECT unit_id, ordinal FROM task_changed
   ), released AS (
     DELETE FROM lease l
      USING ${endedLeases}
       JOIN saved ON saved.id = c.unit_id
      WHERE l.host_id = c.host_id AND l.unit_id = c.unit_id AND l.ordinal = c.ordinal
   ), credited AS (
     INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, sequence, team_id)
     SELECT c.unit_id, c.ordinal, c.account_id, c.host_id, c.cycles, c.sequence, member.team_id
       FROM ${credits}
            JOIN saved ON saved.id = c.unit_id
            -- A claimed account earns for the team of whoever claimed it.
            LEFT JOIN team_member member ON member.account_id = c.person_id
     RETURNING account_id, host_id, cycles, team_id, 1 AS tasks
   ), reversed AS (
     INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, team_id, sequence)
     SELECT e.unit_id, e.ordinal, e.account_id, e.host_id, -e.cycles, e.team_id, c.sequence
       FROM ${reversals}
       JOIN saved ON saved.id = c.unit_id
       JOIN credit_entry e ON e.unit_id = c.unit_id AND e.ordinal = c.ordinal AND e.sequence = c.sequence - 1
     RETURNING account_id, host_id, cycles, team_id, -1 AS tasks
   ), entry AS MATERIALIZED (
     SELECT * FROM credited UNION ALL SELECT * FROM reversed
   ), account_total AS (
     INSERT INTO account_credit AS total (account_id, cycles, tasks)
     SELECT account_id, sum(cycles), sum(tasks) FROM entry GROUP BY account_id ORDER BY account_id
     ON CONFLICT (account_id) DO UPDATE
        SET cycles = total.cycles + excluded.cycles, tasks = total.tasks + excluded.tasks
     RETURNING 1
   ), host_change AS (
     -- What was taken back of an earlier word on a task changes numbers, and no allowance.
     SELECT host_id, sum(valid) AS valid, sum(invalid) AS invalid, sum(errors) AS errors, max(max_per_day) AS max_per_day,
            sum(greatest(0, valid)) AS judged_valid, sum(greatest(0, invalid)) AS judged_invalid,
            sum(cycles) AS cycles, sum(tasks) AS tasks
       FROM (SELECT c.host_id, c.valid, c.invalid, c.errors, c.max_per_day, 0::numeric AS cycles, 0 AS tasks
               FROM ${judgements}
                    JOIN saved ON saved.id = c.unit_id
             UNION ALL
             SELECT host_id, 0, 0, 0, NULL, cycles, tasks FROM entry) change
      -- Not before the accounts: all batches take their locks in the same order.
      WHERE (SELECT count(*) FROM account_total) >= 0
      GROUP BY host_id ORDER BY host_id
   ), host_total AS (
     UPDATE host_standing s
        SET valid_tasks = s.valid_tasks + c.valid, invalid_tasks = s.invalid_tasks + c.invalid,
            error_tasks = s.error_tasks + c.errors, allowance_per_day = ${nextAllowance},
            cycles = s.cycles + c.cycles, credited_tasks = s.credited_tasks + c.tasks
       FROM host_change c
      WHERE s.host_id = c.host_id
     RETURNING 1
   ), team_total AS (
     -- The team that each entry names: what is taken back is taken from the team that it was earned for.
     INSERT INTO team_credit AS total (team_id, cycles, tasks)
     SELECT team_id, sum(cycles), sum(tasks) FROM entry
      WHERE team_id IS NOT NULL AND (SELECT count(*) FROM host_total) >= 0
      GROUP BY team_id ORDER BY team_id
     ON CONFLICT (team_id) DO UPDATE
        SET cycles = total.cycles + excluded.cycles, tasks = total.tasks + excluded.tasks
     RETURNING 1
   ), tallied AS (
     INSERT INTO job_tally AS tally (job_id, units_valid, units_failed, units_cancelled, tasks, cycles)
     SELECT c.job_id, sum(c.valid), sum(c.failed), sum(c.cancelled), sum(c.tasks), sum(c.cycles)
       FROM ${tallies}
       JOIN saved ON saved.id = c.unit_id
      WHERE (SELECT count(*) FROM team_total) >= 0 AND (SELECT count(*) FROM host_total) >= 0
      GROUP BY c.job_id ORDER BY c.job_id
     ON CONFLICT (job_id) DO UPDATE
        SET units_valid = tally.units_valid + excluded.units_valid, units_failed = tally.units_failed + excluded.units_failed,
            units_cancelled = tally.units_cancelled + excluded.units_cancelled, tasks = tally.tasks + excluded.tasks,
            cycles = tally.cycles + excluded.cycles
     RETURNING job_id, units_valid, units_failed, units_cancelled
   )
   SELECT ARRAY(SELECT id FROM saved) AS unit_ids, ARRAY(SELECT unit_id || '.' || ordinal FROM missed) AS missed_tasks,
          (SELECT jsonb_agg(jsonb_build_object('jobId', t.job_id::text, 'valid', t.units_valid, 'failed', t.units_failed,
                                               'settled', t.units_valid + t.units_failed + t.units_cancelled,
                                               'unitsSplit', j.units_split, 'state', j.state))
             FROM tallied t JOIN job j ON j.id = t.job_id) AS tallies`,
);

interface SavedRow {
  readonly unit_ids: readonly string[];
  readonly missed_tasks: readonly string[];
  readonly tallies: readonly JobTallyAfter[] | null;
}

/** Writes a batch of decisions in one statement. */
export async function saveDecided(
  connection: Queryable,
  decisions: readonly DecidedUnit[],
  { coresByHost, lastLinkId }: Pick<LoadedUnits, 'coresByHost' | 'lastLinkId'>,
  rules: AllowanceRules,
): Promise<Saved> {
  const units = decisions.toSorted((a, b) => a.unit.unitId - b.unit.unitId);
  const changes = new DecisionChanges(units);
  const mostOf = (coresOfHost: number | undefined): number | null =>
    coresOfHost === undefined ? null : maxAllowancePerDay(coresOfHost, rules);
  const judged = changes.judged.map((row) => ({ ...row, maxPerDay: mostOf(coresByHost.get(row.hostId)) }));
  const [row] = await saveDecisions.run(connection, parameters.of({ units, changes, judged, lastLinkId }));
  return {
    unitIds: new Set(row?.unit_ids.map(Number)),
    tallies: row?.tallies ?? [],
    missedTasks: new Set(row?.missed_tasks),
  };
}
