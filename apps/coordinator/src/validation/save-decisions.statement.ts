import { allowanceAfter, type AllowanceRules, isFinalUnitState, type UnitDecision } from '@gleaner/domain';
import type { JobState, TaskState, UnitState } from '@gleaner/protocol';
import { plainArray, PreparedStatement, type Queryable, textArray, tokenArray } from '../database/index.js';
import type { HostAllowance, LoadedUnit, LoadedUnits } from './unit-reader.service.js';

/** How long an asked host has for uploading the outputs that the unit waits for. */
export const UPLOAD_WITHIN_MS = 15 * 60 * 1000;

export interface DecidedUnit {
  readonly unit: LoadedUnit;
  readonly decision: UnitDecision;
}

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
}

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
        SET state = c.state, wanted = c.wanted, canonical_ordinal = c.canonical, blocked = c.blocked, failure = c.failure,
            ticketed = least(u.ticketed, c.reticket_from),
            ticketed_at = CASE WHEN c.state = 'open' AND (c.wanted > u.ticketed OR c.reticket_from < u.ticketed)
                               THEN NULL ELSE u.ticketed_at END,
            settled_at = CASE WHEN c.final THEN coalesce(u.settled_at, now()) END,
            upload_until = CASE WHEN c.asked THEN now() + $11 * interval '1 millisecond'
                                WHEN c.state = 'awaiting-output' THEN u.upload_until END
       FROM unnest($1::bigint[], $2::text[], $3::unit_state[], $4::smallint[], $5::smallint[], $6::text[], $7::text[],
                   $8::smallint[], $9::boolean[], $10::boolean[])
            AS c(id, version, state, wanted, canonical, blocked, failure, reticket_from, final, asked)
      WHERE u.id = c.id AND u.xmin::text = c.version AND u.id BETWEEN $12 AND $13
        -- Who is one person was looked up before; where it has changed, all of it has to be thought about again.
        AND NOT EXISTS (SELECT FROM link_review r WHERE r.id > $45)
     RETURNING u.id
   ), task_changed AS (
     UPDATE task t
        SET state = c.state, counts = c.counts,
            outputs = CASE WHEN c.dropped THEN NULL ELSE t.outputs END,
            outputs_held = t.outputs_held AND NOT c.dropped
       FROM unnest($14::bigint[], $15::smallint[], $16::task_state[], $17::task_state[], $18::boolean[], $19::boolean[])
            AS c(unit_id, ordinal, before, state, counts, dropped)
       JOIN saved ON saved.id = c.unit_id
      WHERE t.unit_id = c.unit_id AND t.ordinal = c.ordinal AND t.state = c.before AND t.unit_id BETWEEN $12 AND $13
   ), released AS (
     DELETE FROM lease l
      USING unnest($20::bigint[], $21::bigint[], $22::smallint[]) AS c(host_id, unit_id, ordinal)
       JOIN saved ON saved.id = c.unit_id
      WHERE l.host_id = c.host_id AND l.unit_id = c.unit_id AND l.ordinal = c.ordinal
   ), credited AS (
     INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, sequence, team_id)
     SELECT c.*, member.team_id
       FROM unnest($23::bigint[], $24::smallint[], $25::bigint[], $26::bigint[], $27::numeric[], $43::smallint[])
            AS c(unit_id, ordinal, account_id, host_id, cycles, sequence) JOIN saved ON saved.id = c.unit_id
            LEFT JOIN team_member member ON member.account_id = c.account_id
     RETURNING account_id, host_id, cycles, team_id, 1 AS tasks
   ), reversed AS (
     INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, team_id, sequence)
     SELECT e.unit_id, e.ordinal, e.account_id, e.host_id, -e.cycles, e.team_id, c.sequence
       FROM unnest($28::bigint[], $29::smallint[], $44::smallint[]) AS c(unit_id, ordinal, sequence)
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
     SELECT host_id, sum(valid) AS valid, sum(invalid) AS invalid, sum(errors) AS errors, max(per_day) AS per_day,
            sum(cycles) AS cycles, sum(tasks) AS tasks
       FROM (SELECT c.host_id, c.valid, c.invalid, c.errors, c.per_day, 0::numeric AS cycles, 0 AS tasks
               FROM unnest($30::bigint[], $31::bigint[], $32::smallint[], $33::smallint[], $34::smallint[], $35::integer[])
                    AS c(unit_id, host_id, valid, invalid, errors, per_day) JOIN saved ON saved.id = c.unit_id
             UNION ALL
             SELECT host_id, 0, 0, 0, NULL, cycles, tasks FROM entry) change
      -- Not before the accounts: all batches take their locks in the same order.
      WHERE (SELECT count(*) FROM account_total) >= 0
      GROUP BY host_id ORDER BY host_id
   ), host_total AS (
     UPDATE host_standing s
        SET valid_tasks = s.valid_tasks + c.valid, invalid_tasks = s.invalid_tasks + c.invalid,
            error_tasks = s.error_tasks + c.errors, allowance_per_day = coalesce(c.per_day, s.allowance_per_day),
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
       FROM unnest($36::bigint[], $37::bigint[], $38::smallint[], $39::smallint[], $40::smallint[], $41::integer[],
                   $42::numeric[]) AS c(unit_id, job_id, valid, failed, cancelled, tasks, cycles)
       JOIN saved ON saved.id = c.unit_id
      WHERE (SELECT count(*) FROM team_total) >= 0 AND (SELECT count(*) FROM host_total) >= 0
      GROUP BY c.job_id ORDER BY c.job_id
     ON CONFLICT (job_id) DO UPDATE
        SET units_valid = tally.units_valid + excluded.units_valid, units_failed = tally.units_failed + excluded.units_failed,
            units_cancelled = tally.units_cancelled + excluded.units_cancelled, tasks = tally.tasks + excluded.tasks,
            cycles = tally.cycles + excluded.cycles
     RETURNING job_id, units_valid, units_failed, units_cancelled
   )
   SELECT ARRAY(SELECT id FROM saved) AS unit_ids,
          (SELECT jsonb_agg(jsonb_build_object('jobId', t.job_id::text, 'valid', t.units_valid, 'failed', t.units_failed,
                                               'settled', t.units_valid + t.units_failed + t.units_cancelled,
                                               'unitsSplit', j.units_split, 'state', j.state))
             FROM tallied t JOIN job j ON j.id = t.job_id) AS tallies`,
);

interface SavedRow {
  readonly unit_ids: readonly string[];
  readonly tallies: readonly JobTallyAfter[] | null;
}

interface TaskChangeRow {
  readonly unitId: number;
  readonly ordinal: number;
  readonly before: TaskState;
  readonly state: TaskState;
  readonly counts: boolean;
  readonly dropped: boolean;
}

interface JudgedRow {
  readonly unitId: number;
  readonly hostId: string;
  readonly valid: number;
  readonly invalid: number;
  readonly errors: number;
}

interface TallyRow {
  readonly unitId: number;
  readonly jobId: string;
  readonly valid: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly tasks: number;
  readonly cycles: bigint;
}

/** Everything that a batch of decisions changes, each row by the unit it belongs to. */
class Changes {
  readonly tasks: TaskChangeRow[] = [];
  readonly released: Array<{ hostId: string; unitId: number; ordinal: number }> = [];
  readonly credits: Array<{
    unitId: number;
    ordinal: number;
    accountId: string;
    hostId: string;
    cycles: bigint;
    sequence: number;
  }> = [];
  readonly reversals: Array<{ unitId: number; ordinal: number; sequence: number }> = [];
  readonly judged: JudgedRow[] = [];
  readonly tallies: TallyRow[] = [];

  constructor(decided: readonly DecidedUnit[]) {
    for (const { unit, decision } of decided) this.addUnit(unit, decision);
  }

  private addUnit(unit: LoadedUnit, decision: UnitDecision): void {
    const { unitId, view } = unit;
    const tasks = new Map(view.tasks.map((task) => [task.ordinal, task]));
    const dropped = new Set(decision.dropOutputsOf);
    let cycles = 0n;
    for (const { ordinal, state, counts } of decision.tasks) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      const hostId = String(task.hostId);
      this.tasks.push({
        unitId,
        ordinal,
        before: task.state,
        state,
        counts,
        dropped: dropped.delete(ordinal),
      });
      if (task.state === 'in-progress') this.released.push({ hostId, unitId, ordinal });
      this.judge(unitId, hostId, task.state, state);
      if (state === 'valid') cycles += task.result?.cycles ?? 0n;
    }
    for (const ordinal of dropped) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      const { state, counts } = task;
      this.tasks.push({ unitId, ordinal, before: state, state, counts, dropped: true });
    }
    for (const { ordinal, cycles: credit } of decision.credits) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      const accountId = String(task.accountId);
      const hostId = String(task.hostId);
      const sequence = unit.creditEntries.get(ordinal) ?? 0;
      this.credits.push({ unitId, ordinal, accountId, hostId, cycles: credit, sequence });
    }
    for (const ordinal of decision.revoked) {
      this.reversals.push({ unitId, ordinal, sequence: unit.creditEntries.get(ordinal) ?? 0 });
    }
    this.tally(unit, decision.state, cycles);
  }

  private judge(unitId: number, hostId: string, before: TaskState, after: TaskState): void {
    const step = (state: TaskState): number => Number(after === state) - Number(before === state);
    const judged = { valid: step('valid'), invalid: step('invalid'), errors: step('error') };
    if (judged.valid !== 0 || judged.invalid !== 0 || judged.errors !== 0) {
      this.judged.push({ unitId, hostId, ...judged });
    }
  }

  private tally({ unitId, jobId, view }: LoadedUnit, after: UnitState, cycles: bigint): void {
    const step = (state: UnitState): number => Number(after === state) - Number(view.state === state);
    const tally = { valid: step('valid'), failed: step('failed'), cancelled: step('cancelled') };
    const settled = tally.valid + tally.failed + tally.cancelled;
    if (settled === 0 && cycles === 0n) return;
    this.tallies.push({ unitId, jobId, ...tally, tasks: settled * view.tasks.length, cycles });
  }
}

/** Writes a batch of decisions in one statement. */
export async function saveDecided(
  connection: Queryable,
  decided: readonly DecidedUnit[],
  { allowances, lastLinkId }: Pick<LoadedUnits, 'allowances' | 'lastLinkId'>,
  rules: AllowanceRules,
): Promise<Saved> {
  const units = decided.toSorted((a, b) => a.unit.unitId - b.unit.unitId);
  const changes = new Changes(units);
  const { tasks, released, credits, reversals, judged, tallies } = changes;
  const raised = nextAllowances(judged, allowances, rules);
  const ids = units.map(({ unit }) => unit.unitId);
  const [row] = await saveDecisions.run(connection, [
    plainArray(ids),
    tokenArray(units.map(({ unit }) => unit.version)),
    tokenArray(units.map(({ decision }) => decision.state)),
    plainArray(units.map(({ decision }) => decision.wanted)),
    plainArray(units.map(({ decision }) => decision.canonicalOrdinal)),
    textArray(units.map(({ decision }) => decision.blocked)),
    textArray(units.map(({ decision }) => decision.failure)),
    plainArray(units.map(({ decision }) => decision.reticketFrom)),
    plainArray(units.map(({ decision }) => isFinalUnitState(decision.state))),
    plainArray(units.map(({ decision }) => decision.askUploadOf !== null)),
    UPLOAD_WITHIN_MS,
    ids[0] ?? 0,
    ids.at(-1) ?? 0,
    plainArray(tasks.map(({ unitId }) => unitId)),
    plainArray(tasks.map(({ ordinal }) => ordinal)),
    tokenArray(tasks.map(({ before }) => before)),
    tokenArray(tasks.map(({ state }) => state)),
    plainArray(tasks.map(({ counts }) => counts)),
    plainArray(tasks.map(({ dropped }) => dropped)),
    tokenArray(released.map(({ hostId }) => hostId)),
    plainArray(released.map(({ unitId }) => unitId)),
    plainArray(released.map(({ ordinal }) => ordinal)),
    plainArray(credits.map(({ unitId }) => unitId)),
    plainArray(credits.map(({ ordinal }) => ordinal)),
    tokenArray(credits.map(({ accountId }) => accountId)),
    tokenArray(credits.map(({ hostId }) => hostId)),
    plainArray(credits.map(({ cycles }) => cycles)),
    plainArray(reversals.map(({ unitId }) => unitId)),
    plainArray(reversals.map(({ ordinal }) => ordinal)),
    plainArray(judged.map(({ unitId }) => unitId)),
    tokenArray(judged.map(({ hostId }) => hostId)),
    plainArray(judged.map(({ valid }) => valid)),
    plainArray(judged.map(({ invalid }) => invalid)),
    plainArray(judged.map(({ errors }) => errors)),
    plainArray(judged.map(({ hostId }) => raised.get(hostId) ?? null)),
    plainArray(tallies.map(({ unitId }) => unitId)),
    tokenArray(tallies.map(({ jobId }) => jobId)),
    plainArray(tallies.map(({ valid }) => valid)),
    plainArray(tallies.map(({ failed }) => failed)),
    plainArray(tallies.map(({ cancelled }) => cancelled)),
    plainArray(tallies.map((tally) => tally.tasks)),
    plainArray(tallies.map(({ cycles }) => cycles)),
    plainArray(credits.map(({ sequence }) => sequence)),
    plainArray(reversals.map(({ sequence }) => sequence)),
    lastLinkId,
  ]);
  return { unitIds: new Set(row?.unit_ids.map(Number)), tallies: row?.tallies ?? [] };
}

/** Allowances that the judgements change, by host. */
function nextAllowances(
  judged: readonly JudgedRow[],
  allowances: ReadonlyMap<string, HostAllowance>,
  rules: AllowanceRules,
): Map<string, number> {
  const byHost = new Map<string, { valid: number; invalid: number }>();
  for (const { hostId, valid, invalid } of judged) {
    const sum = byHost.get(hostId) ?? { valid: 0, invalid: 0 };
    byHost.set(hostId, {
      valid: sum.valid + Math.max(0, valid),
      invalid: sum.invalid + Math.max(0, invalid),
    });
  }
  const next = new Map<string, number>();
  for (const [hostId, sums] of byHost) {
    const host = allowances.get(hostId);
    if (!host) continue;
    const perDay = allowanceAfter(host.perDay, sums, host.cores, rules);
    if (perDay !== host.perDay) next.set(hostId, perDay);
  }
  return next;
}
