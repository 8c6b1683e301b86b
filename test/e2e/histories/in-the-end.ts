import { FINAL, HELD, type Invariant } from './invariants.js';

/** Tasks of deleted jobs are gone, and are still counted. */
const NOTHING_WAS_DELETED = 'NOT EXISTS (SELECT FROM job WHERE deleted_at IS NOT NULL)';

/** Of hosts that are still attached: by how much standings differ from the tasks in these states. */
function standings(states: readonly string[]): string {
  const kept = states.map((state) => `s.${state}_tasks`).join(', ');
  const counted = states.map((state) => `count(t.*) FILTER (WHERE t.state = '${state}')`).join(', ');
  return `SELECT s.host_id, ROW(${kept}) AS kept, ROW(${counted}) AS counted
    FROM host_standing s JOIN host h ON h.id = s.host_id AND h.detached_at IS NULL LEFT JOIN task t ON t.host_id = s.host_id
   WHERE ${NOTHING_WAS_DELETED} GROUP BY s.host_id, ${kept} HAVING ROW(${kept}) <> ROW(${counted})`;
}

/** Rows that show something else than the ledger's sums, of people for accounts. */
function boardOf(kind: string): string {
  const owner = { accounts: 'coalesce(a.person_id, a.id)', hosts: 'e.host_id', teams: 'e.team_id' }[kind];
  return `SELECT id, l.cycles, l.tasks, b.cycles AS shown, b.tasks AS shown_tasks
    FROM (SELECT ${owner} AS id, sum(e.cycles) AS cycles, ${HELD} AS tasks
            FROM credit_entry e JOIN account a ON a.id = e.account_id WHERE ${owner} IS NOT NULL GROUP BY 1) l
         FULL JOIN (SELECT * FROM board_entry WHERE kind = '${kind}') b USING (id)
   WHERE (coalesce(l.cycles, 0), coalesce(l.tasks, 0)) <> (coalesce(b.cycles, 0), coalesce(b.tasks, 0))`;
}

/** What holds once everybody has come to rest. */
export const IN_THE_END: readonly Invariant[] = [
  {
    title: 'every job has ended, unless its app is not approved',
    violations: `SELECT j.id, j.name, j.state, j.state_reason, (
           SELECT array_agg(DISTINCT u.state || ': ' || coalesce(u.blocked, '-')) FROM work_unit u WHERE u.job_id = j.id)
      FROM job j JOIN app_version v ON v.id = j.app_version_id
     WHERE j.state NOT IN ('completed', 'failed', 'cancelled') AND v.approved_at IS NOT NULL`,
  },
  {
    title: 'open units that somebody has computed say what they wait for',
    violations: `SELECT u.id FROM work_unit u WHERE u.state = 'open' AND u.blocked IS NULL
      AND EXISTS (SELECT FROM task t WHERE t.unit_id = u.id AND t.state = 'reported')
      AND NOT EXISTS (SELECT FROM task t WHERE t.unit_id = u.id AND t.state = 'in-progress')`,
  },
  {
    title: 'settled units say when, failed ones why, and wait for nothing',
    violations: `SELECT id, state, settled_at, failure, blocked, upload_until FROM work_unit
      WHERE state IN ${FINAL} AND (settled_at IS NULL OR blocked IS NOT NULL OR upload_until IS NOT NULL
                                   OR (state = 'failed') <> (failure IS NOT NULL))`,
  },
  {
    title: 'units of ended jobs are settled',
    violations: `SELECT u.id, u.state, j.state AS job FROM work_unit u JOIN job j ON j.id = u.job_id
      WHERE j.state IN ('completed', 'failed', 'cancelled') AND u.state NOT IN ${FINAL}`,
  },
  {
    title: 'no task of a settled unit is in progress or waits for its judgement',
    violations: `SELECT t.unit_id, t.ordinal, t.state, u.state AS unit FROM task t JOIN work_unit u ON u.id = t.unit_id
      WHERE u.state IN ${FINAL} AND t.state IN ('in-progress', 'reported')`,
  },
  {
    title: 'of deleted jobs nothing is left but credit',
    violations: `SELECT 'unit' AS what, u.id FROM work_unit u JOIN job j ON j.id = u.job_id WHERE j.deleted_at IS NOT NULL
      UNION ALL SELECT 'task', t.unit_id FROM task t WHERE NOT EXISTS (SELECT FROM work_unit u WHERE u.id = t.unit_id)
      UNION ALL SELECT 'blob', j.id FROM blob_reference r JOIN job j ON r.owner_kind = 'job' AND r.owner_id = j.id
                 WHERE j.deleted_at IS NOT NULL`,
  },
  {
    title: 'blobs are kept for canonical results only',
    unlessCutOff: true,
    violations: `SELECT r.owner_id / 64 AS unit_id, r.owner_id % 64 AS ordinal, u.state, u.canonical_ordinal
      FROM blob_reference r LEFT JOIN work_unit u ON u.id = r.owner_id / 64
     WHERE r.owner_kind = 'task' AND (u.id IS NULL OR u.state IN ${FINAL})
       AND (u.canonical_ordinal = r.owner_id % 64) IS NOT TRUE`,
  },
  {
    title: 'rows keep outputs of canonical results only',
    violations: `SELECT t.unit_id, t.ordinal, t.state, u.state AS unit, u.canonical_ordinal
      FROM task t JOIN work_unit u ON u.id = t.unit_id
     WHERE u.state IN ${FINAL} AND t.outputs IS NOT NULL AND u.canonical_ordinal IS DISTINCT FROM t.ordinal`,
  },
  {
    title: 'blobs know whether somebody needs them',
    violations: `SELECT encode(b.sha256, 'hex') FROM blob b
      WHERE (b.unreferenced_since IS NULL) <> EXISTS (SELECT FROM blob_reference r WHERE r.sha256 = b.sha256)`,
  },
  {
    // Hosts that were too fast are not paid; all others have been released, but for those of whom nobody is left to ask.
    title: 'whoever validated a unit holds its credit, each person once',
    violations: `SELECT t.unit_id, j.name, array_agg(t.ordinal) AS ordinals, p.person_id, sum(coalesce(held.times, 0)) AS times
      FROM task t JOIN work_unit u ON u.id = t.unit_id JOIN job j ON j.id = u.job_id
           JOIN app_version v ON v.id = j.app_version_id JOIN account s ON s.id = j.account_id
           JOIN host h ON h.id = t.host_id JOIN account a ON a.id = t.account_id,
           LATERAL (SELECT coalesce(a.person_id, a.id) AS person_id, coalesce(s.person_id, s.id) AS submitter_id) p,
           LATERAL (SELECT ${HELD} AS times FROM credit_entry e
                     WHERE e.unit_id = t.unit_id AND e.ordinal = t.ordinal) held
     WHERE u.state IN ('valid', 'failed') AND h.held_reason IS NULL AND a.deleted_at IS NULL AND v.approved_at IS NOT NULL
       AND (j.quorum > 1 OR s.operator)
     GROUP BY t.unit_id, j.name, p.person_id, p.submitter_id
    HAVING bool_or(held.times > 0 AND t.state <> 'valid')
        OR sum(coalesce(held.times, 0)) <> (p.person_id <> p.submitter_id
             AND bool_or(t.state = 'valid' AND t.credit_eligible AND t.cycles < 1e15))::integer`,
  },
  {
    title: 'standings count what was judged',
    violations: standings(['valid', 'invalid']),
  },
  {
    title: 'standings count what came to nothing',
    unlessCutOff: true,
    violations: standings(['error', 'lost', 'aborted']),
  },
  {
    title: 'allowances count the tasks that were given',
    violations: `SELECT h.id, a.used, t.tasks FROM host h LEFT JOIN host_allowance a ON a.host_id = h.id,
           LATERAL (SELECT count(*) AS tasks FROM task t WHERE t.host_id = h.id) t
     WHERE coalesce(a.used, 0) < t.tasks OR (coalesce(a.used, 0) > t.tasks AND ${NOTHING_WAS_DELETED})`,
  },
  {
    // A task that was claimed while its unit was settled is not among the tasks of the tally.
    title: 'the tally of a job counts the tasks and cycles of its settled units',
    violations: `SELECT j.id, j.name, j.state, t.tasks, c.tasks AS counted, t.cycles, c.cycles AS counted_cycles
      FROM job j JOIN job_tally t ON t.job_id = j.id, LATERAL (
           SELECT count(x.ordinal) AS tasks, coalesce(sum(x.cycles) FILTER (WHERE x.state = 'valid'), 0) AS cycles
             FROM work_unit u LEFT JOIN task x ON x.unit_id = u.id WHERE u.job_id = j.id AND u.state IN ${FINAL}) c
     WHERE j.deleted_at IS NULL AND (t.tasks NOT BETWEEN 0 AND c.tasks OR t.cycles <> c.cycles)`,
  },
  ...['accounts', 'hosts', 'teams'].map((kind): Invariant => ({
    title: `the board of ${kind} shows what the ledger says`,
    violations: boardOf(kind),
  })),
  {
    title: 'of whoever deleted their account nothing is left that could do anything',
    violations: `SELECT a.id, 'a token' AS what FROM account a JOIN api_token t ON t.account_id = a.id WHERE a.deleted_at IS NOT NULL
      UNION ALL SELECT a.id, 'a host' FROM account a JOIN host h ON h.account_id = a.id AND h.detached_at IS NULL WHERE a.deleted_at IS NOT NULL
      UNION ALL SELECT a.id, 'a team' FROM account a JOIN team_member m ON m.account_id = a.id WHERE a.deleted_at IS NOT NULL`,
  },
  {
    title: 'no link waits for its review',
    violations: 'SELECT id FROM link_review WHERE reviewed_at IS NULL',
  },
  {
    title: 'no released host waits for what it is owed',
    violations: 'SELECT id FROM host WHERE released_at IS NOT NULL',
  },
];
