import { allowanceAfter, type AllowanceRules, isFinalUnitState, type UnitDecision } from '@gleaner/domain';
import type { TaskState, UnitState } from '@gleaner/protocol';
import { plainArray, PreparedStatement, type Queryable, textArray, tokenArray } from '../database/index.js';
import type { HostAllowance, LoadedUnit } from './unit-reader.service.js';

/** How long an asked host has for uploading the outputs that the unit waits for. */
export const UPLOAD_WITHIN_MS = 15 * 60 * 1000;

export interface DecidedUnit {
  readonly unit: LoadedUnit;
  readonly decision: UnitDecision;
}

/** Settled units of a job after a batch, and what the batch added. */
export interface TallyRow {
  readonly job_id: string;
  readonly units_valid: string;
  readonly units_failed: string;
  readonly units_cancelled: string;
  readonly added_valid: number;
  readonly added_failed: number;
}

const saveDecisions = new PreparedStatement<TallyRow>(
  'save-decisions',
  `WITH unit_changed AS (
     UPDATE work_unit u
        SET state = c.state, wanted = c.wanted, canonical_ordinal = c.canonical, blocked = c.blocked, failure = c.failure,
            ticketed = least(u.ticketed, c.reticket_from),
            ticketed_at = CASE WHEN c.state = 'open' AND (c.wanted > u.ticketed OR c.reticket_from < u.ticketed)
                               THEN NULL ELSE u.ticketed_at END,
            settled_at = CASE WHEN c.final THEN coalesce(u.settled_at, now()) END,
            upload_until = CASE WHEN c.asked THEN now() + $9 * interval '1 millisecond'
                                WHEN c.state = 'awaiting-output' THEN u.upload_until END
       FROM unnest($1::bigint[], $2::unit_state[], $3::smallint[], $4::smallint[], $5::text[], $6::text[], $7::smallint[],
                   $8::boolean[], $10::boolean[])
            AS c(id, state, wanted, canonical, blocked, failure, reticket_from, final, asked)
      WHERE u.id = c.id AND u.id BETWEEN $11 AND $12
   ), task_changed AS (
     UPDATE task t
        SET state = c.state, counts = c.counts,
            outputs = CASE WHEN c.dropped THEN NULL ELSE t.outputs END,
            outputs_held = t.outputs_held AND NOT c.dropped
       FROM unnest($13::bigint[], $14::smallint[], $15::task_state[], $16::boolean[], $17::boolean[])
            AS c(unit_id, ordinal, state, counts, dropped)
      WHERE t.unit_id = c.unit_id AND t.ordinal = c.ordinal AND t.unit_id BETWEEN $11 AND $12
   ), released AS (
     DELETE FROM lease l USING unnest($18::bigint[], $19::bigint[], $20::smallint[]) AS c(host_id, unit_id, ordinal)
      WHERE l.host_id = c.host_id AND l.unit_id = c.unit_id AND l.ordinal = c.ordinal
   ), credited AS (
     INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles)
     SELECT * FROM unnest($21::bigint[], $22::smallint[], $23::bigint[], $24::bigint[], $25::numeric[])
     ON CONFLICT DO NOTHING RETURNING account_id, host_id, cycles, 1 AS tasks
   ), reversed AS (
     INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, reversal)
     SELECT e.unit_id, e.ordinal, e.account_id, e.host_id, -e.cycles, true
       FROM unnest($26::bigint[], $27::smallint[]) AS c(unit_id, ordinal)
       JOIN credit_entry e ON e.unit_id = c.unit_id AND e.ordinal = c.ordinal AND NOT e.reversal
     ON CONFLICT DO NOTHING RETURNING account_id, host_id, cycles, -1 AS tasks
   ), entry AS MATERIALIZED (
     SELECT * FROM credited UNION ALL SELECT * FROM reversed
   ), account_total AS (
     INSERT INTO account_credit AS total (account_id, cycles, tasks)
     SELECT account_id, sum(cycles), sum(tasks) FROM entry GROUP BY account_id ORDER BY account_id
     ON CONFLICT (account_id) DO UPDATE
        SET cycles = total.cycles + excluded.cycles, tasks = total.tasks + excluded.tasks
   ), host_total AS (
     UPDATE host_standing s
        SET valid_tasks = s.valid_tasks + c.valid, invalid_tasks = s.invalid_tasks + c.invalid,
            error_tasks = s.error_tasks + c.errors, allowance_per_day = coalesce(c.per_day, s.allowance_per_day),
            cycles = s.cycles + coalesce(g.cycles, 0), credited_tasks = s.credited_tasks + coalesce(g.tasks, 0)
       FROM (SELECT * FROM unnest($28::bigint[], $29::integer[], $30::integer[], $31::integer[], $32::integer[])
               AS h(host_id, valid, invalid, errors, per_day) ORDER BY host_id) c
       LEFT JOIN (SELECT host_id, sum(cycles) AS cycles, sum(tasks) AS tasks FROM entry GROUP BY host_id) g
              ON g.host_id = c.host_id
      WHERE s.host_id = c.host_id
   )
   INSERT INTO job_tally AS tally (job_id, units_valid, units_failed, units_cancelled, tasks, cycles)
   SELECT c.job_id, c.valid, c.failed, c.cancelled, c.tasks, c.cycles
     FROM unnest($33::bigint[], $34::integer[], $35::integer[], $36::integer[], $37::integer[], $38::numeric[])
          AS c(job_id, valid, failed, cancelled, tasks, cycles) ORDER BY c.job_id
   ON CONFLICT (job_id) DO UPDATE
      SET units_valid = tally.units_valid + excluded.units_valid, units_failed = tally.units_failed + excluded.units_failed,
          units_cancelled = tally.units_cancelled + excluded.units_cancelled, tasks = tally.tasks + excluded.tasks,
          cycles = tally.cycles + excluded.cycles
   RETURNING job_id, units_valid, units_failed, units_cancelled`,
);

interface TaskChangeRow {
  readonly unitId: number;
  readonly ordinal: number;
  state: TaskState;
  counts: boolean;
  dropped: boolean;
}

interface HostChange {
  valid: number;
  invalid: number;
  errors: number;
}

interface TallyChange {
  valid: number;
  failed: number;
  cancelled: number;
  tasks: number;
  cycles: bigint;
}

/** Everything that a batch of decisions changes, gathered before one statement writes it. */
class Changes {
  readonly tasks: TaskChangeRow[] = [];
  readonly released: Array<{ hostId: string; unitId: number; ordinal: number }> = [];
  readonly credits: Array<{
    unitId: number;
    ordinal: number;
    accountId: string;
    hostId: string;
    cycles: bigint;
  }> = [];
  readonly reversals: Array<{ unitId: number; ordinal: number }> = [];
  readonly hosts = new Map<string, HostChange>();
  readonly tallies = new Map<string, TallyChange>();

  constructor(decided: readonly DecidedUnit[]) {
    for (const { unit, decision } of decided) this.addUnit(unit, decision);
  }

  private addUnit({ unitId, jobId, view }: LoadedUnit, decision: UnitDecision): void {
    const changes = new Map<number, TaskChangeRow>();
    const tasks = new Map(view.tasks.map((task) => [task.ordinal, task]));
    for (const { ordinal, state, counts } of decision.tasks) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      changes.set(ordinal, { unitId, ordinal, state, counts, dropped: false });
      if (task.state === 'in-progress') {
        this.released.push({ hostId: String(task.hostId), unitId, ordinal });
      }
      if (task.state !== state) this.judge(String(task.hostId), task.state, state);
    }
    for (const ordinal of decision.dropOutputsOf) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      const { state, counts } = task;
      const change = changes.get(ordinal) ?? { unitId, ordinal, state, counts, dropped: true };
      changes.set(ordinal, { ...change, dropped: true });
    }
    this.tasks.push(...changes.values());
    for (const { ordinal, cycles } of decision.credits) {
      const task = tasks.get(ordinal);
      if (!task) continue;
      const accountId = String(task.accountId);
      this.credits.push({ unitId, ordinal, accountId, hostId: String(task.hostId), cycles });
      this.hostChange(String(task.hostId));
    }
    for (const ordinal of decision.revoked) {
      this.reversals.push({ unitId, ordinal });
      const task = tasks.get(ordinal);
      if (task) this.hostChange(String(task.hostId));
    }
    this.tallyUnit(jobId, view.state, decision.state, view.tasks.length);
    for (const { ordinal, state } of decision.tasks) {
      if (state !== 'valid') continue;
      this.tally(jobId).cycles += tasks.get(ordinal)?.result?.cycles ?? 0n;
    }
  }

  private judge(hostId: string, before: TaskState, after: TaskState): void {
    const change = this.hostChange(hostId);
    if (after === 'valid') change.valid += 1;
    if (after === 'invalid') change.invalid += 1;
    if (after === 'error' || after === 'lost') change.errors += 1;
    if (before === 'valid') change.valid -= 1;
    if (before === 'invalid') change.invalid -= 1;
  }

  private hostChange(hostId: string): HostChange {
    let change = this.hosts.get(hostId);
    if (!change) {
      change = { valid: 0, invalid: 0, errors: 0 };
      this.hosts.set(hostId, change);
    }
    return change;
  }

  private tallyUnit(jobId: string, before: UnitState, after: UnitState, tasks: number): void {
    if (before === after) return;
    const tally = this.tally(jobId);
    for (const [state, step] of [
      [before, -1],
      [after, 1],
    ] as const) {
      if (state === 'valid' || state === 'failed' || state === 'cancelled') {
        tally[state] += step;
        tally.tasks += step * tasks;
      }
    }
  }

  private tally(jobId: string): TallyChange {
    let tally = this.tallies.get(jobId);
    if (!tally) {
      tally = { valid: 0, failed: 0, cancelled: 0, tasks: 0, cycles: 0n };
      this.tallies.set(jobId, tally);
    }
    return tally;
  }
}

/** Writes a batch of decisions in one statement. The units are locked; accounts are taken in the order of their ids. */
export async function saveDecided(
  client: Queryable,
  decided: readonly DecidedUnit[],
  allowances: ReadonlyMap<string, HostAllowance>,
  rules: AllowanceRules,
): Promise<TallyRow[]> {
  const units = decided.toSorted((a, b) => a.unit.unitId - b.unit.unitId);
  const changes = new Changes(units);
  const tasks = changes.tasks.toSorted((a, b) => a.unitId - b.unitId || a.ordinal - b.ordinal);
  const hosts = [...changes.hosts].sort(([a], [b]) => Number(a) - Number(b));
  const tallies = [...changes.tallies];
  const ids = units.map(({ unit }) => unit.unitId);
  const rows = await saveDecisions.run(client, [
    plainArray(ids),
    tokenArray(units.map(({ decision }) => decision.state)),
    plainArray(units.map(({ decision }) => decision.wanted)),
    plainArray(units.map(({ decision }) => decision.canonicalOrdinal)),
    textArray(units.map(({ decision }) => decision.blocked)),
    textArray(units.map(({ decision }) => decision.failure)),
    plainArray(units.map(({ decision }) => decision.reticketFrom)),
    plainArray(units.map(({ decision }) => isFinalUnitState(decision.state))),
    UPLOAD_WITHIN_MS,
    plainArray(units.map(({ decision }) => decision.askUploadOf !== null)),
    ids[0] ?? 0,
    ids.at(-1) ?? 0,
    plainArray(tasks.map(({ unitId }) => unitId)),
    plainArray(tasks.map(({ ordinal }) => ordinal)),
    tokenArray(tasks.map(({ state }) => state)),
    plainArray(tasks.map(({ counts }) => counts)),
    plainArray(tasks.map(({ dropped }) => dropped)),
    tokenArray(changes.released.map(({ hostId }) => hostId)),
    plainArray(changes.released.map(({ unitId }) => unitId)),
    plainArray(changes.released.map(({ ordinal }) => ordinal)),
    plainArray(changes.credits.map(({ unitId }) => unitId)),
    plainArray(changes.credits.map(({ ordinal }) => ordinal)),
    tokenArray(changes.credits.map(({ accountId }) => accountId)),
    tokenArray(changes.credits.map(({ hostId }) => hostId)),
    plainArray(changes.credits.map(({ cycles }) => cycles)),
    plainArray(changes.reversals.map(({ unitId }) => unitId)),
    plainArray(changes.reversals.map(({ ordinal }) => ordinal)),
    tokenArray(hosts.map(([hostId]) => hostId)),
    plainArray(hosts.map(([, { valid }]) => valid)),
    plainArray(hosts.map(([, { invalid }]) => invalid)),
    plainArray(hosts.map(([, { errors }]) => errors)),
    plainArray(hosts.map(([hostId, change]) => nextAllowance(allowances.get(hostId), change, rules))),
    tokenArray(tallies.map(([jobId]) => jobId)),
    plainArray(tallies.map(([, { valid }]) => valid)),
    plainArray(tallies.map(([, { failed }]) => failed)),
    plainArray(tallies.map(([, { cancelled }]) => cancelled)),
    plainArray(tallies.map(([, each]) => each.tasks)),
    plainArray(tallies.map(([, { cycles }]) => cycles)),
  ]);
  return rows.map((row) => {
    const added = changes.tallies.get(row.job_id);
    return { ...row, added_valid: added?.valid ?? 0, added_failed: added?.failed ?? 0 };
  });
}

/** null: stays as it is. */
function nextAllowance(
  host: HostAllowance | undefined,
  { valid, invalid }: HostChange,
  rules: AllowanceRules,
): number | null {
  if (!host || (valid <= 0 && invalid <= 0)) return null;
  const judged = { valid: Math.max(0, valid), invalid: Math.max(0, invalid) };
  const next = allowanceAfter(host.perDay, judged, host.cores, rules);
  return next === host.perDay ? null : next;
}
