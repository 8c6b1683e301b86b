import { idBounds, plainArray, PreparedStatement, textArray, tokenArray } from '../database/index.js';

/**
 * Tasks of one unit that an account may take within an hour for nothing: lost, given back or failed. A unit fails after
 * `maxErrors` and `maxTasks`, so that one host alone could otherwise have any unit fail within seconds. Not for good: where
 * there are no others, whoever is restarted often gets it again.
 */
const FRUITLESS_TASKS_PER_HOUR = 2;

/**
 * The UTC day that allowances are counted for, by the clock that all coordinators share: where two of them take each other's today for
 * yesterday, as around midnight, every claim would begin to count anew.
 */
const TODAY = "(now() AT TIME ZONE 'UTC')::date";

/** Tickets with these answers become nothing: replays, settled units, jobs that do not run. */
type ClaimRefusal = 'gone' | 'own' | 'dependent' | 'held' | 'allowance' | 'cap';

/** A ticket that a host would like to have. */
export interface Claim {
  readonly unitId: number;
  readonly ordinal: number;
  readonly creditEligible: boolean;
  /** The domain found that the host can help although it depends on one of the unit's volunteers. */
  readonly mayDepend: boolean;
  readonly claimer: Claimer;
}

export interface Claimer {
  readonly hostId: string;
  readonly accountId: string;
  readonly personId: string;
  readonly anonymous: boolean;
  readonly network: string | null;
  /** Tasks in progress that the host may have. */
  readonly cap: number;
  /** Bound of the lease in milliseconds; the task's deadline bounds it as well. */
  readonly leaseMs: number;
}

export interface ClaimRow {
  /** Position of the claim in its batch, from 1. */
  readonly n: number;
  readonly refusal: ClaimRefusal | null;
  /** Counting tasks of other volunteers that the unit has already. */
  readonly others: number;
  /** JSON text, to be sent on without parsing. */
  readonly params: string | null;
  readonly windows: string | null;
  readonly deadline_ms: number | null;
  readonly allowance_per_day: number;
  readonly in_progress: number;
  /** Why the host gets nothing until an operator has looked at it; null: it is not held. */
  readonly held_reason: string | null;
}

/**
 * Assigns a batch of tickets. Everything that may have changed since the ticket was made is checked again: the unit and job
 * are open and running, the host has allowance and room left, and depends on nobody who has a counting task of the
 * unit. The distinct index and the primary key decide between claims that do not see each other: the whole batch fails, and
 * whoever tries it again sees the other's task. A conflict clause would look for each task twice for what hardly ever happens.
 * Claims of one host take turns from reading what it may still have to committing what it got. That is not done by locking its
 * row: Postgres 18.4 crashes when a row that FOR UPDATE waited for in such a CTE has changed.
 */
const claimTasks = new PreparedStatement<ClaimRow>(
  'claim-tasks',
  `WITH claimer AS MATERIALIZED (
     SELECT c.*, turn.allowance_per_day, turn.allowance_left, turn.in_progress, turn.held_reason
       FROM unnest($6::bigint[], $7::bigint[], $8::bigint[], $9::boolean[], $10::text[], $11::integer[], $12::bigint[])
            WITH ORDINALITY AS c(host_id, account_id, person_id, anonymous, network, cap, lease_ms, k)
       JOIN take_claim_turns($6::bigint[], ${TODAY}) turn ON turn.host_id = c.host_id
   ), wish AS MATERIALIZED (
     SELECT w.unit_id, w.ordinal, w.eligible, w.may_depend, w.n, c.*
       FROM unnest($1::bigint[], $2::smallint[], $3::boolean[], $4::boolean[], $5::integer[])
            WITH ORDINALITY AS w(unit_id, ordinal, eligible, may_depend, k, n)
       JOIN claimer c ON c.k = w.k
   ), looked_up AS MATERIALIZED (
     SELECT w.*, u.params, u.windows, j.task_deadline_ms,
            CASE j.distinct_by WHEN 'host' THEN -w.host_id ELSE w.account_id END AS distinct_key,
            coalesce(o.others, 0) AS others,
            CASE WHEN u.id IS NULL OR u.state <> 'open' OR w.ordinal >= u.wanted OR j.state NOT IN ('splitting', 'running') OR o.replayed
                 THEN 'gone'
                 WHEN o.own OR o.fruitless >= ${FRUITLESS_TASKS_PER_HOUR} THEN 'own'
                 WHEN o.dependent AND NOT w.may_depend THEN 'dependent' END AS unfit
       FROM wish w
       LEFT JOIN work_unit u ON u.id = w.unit_id AND u.id BETWEEN $13 AND $14
       LEFT JOIN job j ON j.id = u.job_id
       LEFT JOIN LATERAL (
         SELECT bool_or(t.ordinal = w.ordinal) AS replayed,
                count(*) FILTER (WHERE t.counts)::integer AS others,
                bool_or(t.counts AND t.distinct_key =
                        CASE j.distinct_by WHEN 'host' THEN -w.host_id ELSE w.account_id END) AS own,
                count(*) FILTER (WHERE t.state IN ('lost', 'aborted', 'error') AND t.assigned_at > now() - interval '1 hour'
                        AND t.distinct_key =
                        CASE j.distinct_by WHEN 'host' THEN -w.host_id ELSE w.account_id END) AS fruitless,
                bool_or(t.counts AND ((t.anonymous AND w.anonymous)
                        OR (j.distinct_by = 'account' AND (coalesce(a.person_id, a.id) = w.person_id
                            OR (NOT $15::boolean AND t.network IS NOT DISTINCT FROM w.network))))) AS dependent
           FROM task t JOIN account a ON a.id = t.account_id
          WHERE t.unit_id = w.unit_id AND t.unit_id BETWEEN $13 AND $14
       ) o ON true
   ), checked AS MATERIALIZED (
     SELECT l.*, CASE WHEN l.unfit IS NOT NULL THEN l.unfit
                      WHEN l.held_reason IS NOT NULL THEN 'held'
                      WHEN l.nth > l.allowance_left THEN 'allowance'
                      WHEN l.nth > l.cap - l.in_progress THEN 'cap' END AS refusal
       -- Only what the host could have had uses up its allowance and its room.
       FROM (SELECT u.*, row_number() OVER (PARTITION BY u.k, u.unfit IS NULL ORDER BY u.n) AS nth FROM looked_up u) l
   ), inserted AS (
     INSERT INTO task (unit_id, ordinal, account_id, host_id, distinct_key, credit_eligible, anonymous, network)
     SELECT unit_id, ordinal, account_id, host_id, distinct_key, eligible, anonymous, network
       FROM checked WHERE refusal IS NULL ORDER BY unit_id, ordinal
   ), leased AS (
     INSERT INTO lease (host_id, unit_id, ordinal, expires_at, deadline_at)
     SELECT host_id, unit_id, ordinal, now() + least(lease_ms, task_deadline_ms) * interval '1 millisecond',
            now() + task_deadline_ms * interval '1 millisecond'
       FROM checked WHERE refusal IS NULL
   ), used AS (
     INSERT INTO host_allowance AS a (host_id, day, used)
     SELECT host_id, ${TODAY}, count(*) FROM checked WHERE refusal IS NULL GROUP BY host_id ORDER BY host_id
     ON CONFLICT (host_id) DO UPDATE
        SET used = CASE WHEN a.day = excluded.day THEN a.used ELSE 0 END + excluded.used, day = excluded.day
   )
   SELECT n::integer AS n, refusal, others, params::text AS params, windows::text AS windows,
          task_deadline_ms::float8 AS deadline_ms, allowance_per_day, in_progress, held_reason
     FROM checked`,
);

export interface ClaimPolicy {
  readonly allowSameNetwork: boolean;
}

/**
 * Runs {@link claimTasks}; the rows are those of the claims, in their order. No two claims may name the same ticket, or the same
 * unit for volunteers who depend on each other.
 *
 * @throws what `isRetryable` tells, where somebody else took one of the tickets at the same moment
 */
export async function runClaims(
  connection: Parameters<typeof claimTasks.run>[0],
  claims: readonly Claim[],
  policy: ClaimPolicy,
): Promise<Array<ClaimRow | undefined>> {
  const claimers = [...new Map(claims.map(({ claimer }) => [claimer.hostId, claimer])).values()].toSorted(
    (a, b) => Number(a.hostId) - Number(b.hostId),
  );
  const position = new Map(claimers.map(({ hostId }, at) => [hostId, at + 1]));
  const rows = await claimTasks.run(connection, [
    plainArray(claims.map((claim) => claim.unitId)),
    plainArray(claims.map((claim) => claim.ordinal)),
    plainArray(claims.map((claim) => claim.creditEligible)),
    plainArray(claims.map((claim) => claim.mayDepend)),
    plainArray(claims.map((claim) => position.get(claim.claimer.hostId) ?? 0)),
    tokenArray(claimers.map((claimer) => claimer.hostId)),
    tokenArray(claimers.map((claimer) => claimer.accountId)),
    tokenArray(claimers.map((claimer) => claimer.personId)),
    plainArray(claimers.map((claimer) => claimer.anonymous)),
    textArray(claimers.map((claimer) => claimer.network)),
    plainArray(claimers.map((claimer) => claimer.cap)),
    plainArray(claimers.map((claimer) => claimer.leaseMs)),
    ...idBounds(claims.map(({ unitId }) => unitId)),
    policy.allowSameNetwork,
  ]);
  const answers = new Array<ClaimRow | undefined>(claims.length).fill(undefined);
  for (const row of rows) answers[row.n - 1] = row;
  return answers;
}
