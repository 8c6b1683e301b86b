import { FINAL, HELD, type Invariant } from './invariants.js';

/** Totals of the ledger by `owner`, against those that are kept. */
function totalsOf(owner: string, table: string, tasks: string): string {
  return `SELECT ${owner}, e.cycles, t.cycles AS total, e.tasks, t.${tasks} AS total_tasks
    FROM (SELECT ${owner}, sum(e.cycles) AS cycles, ${HELD} AS tasks FROM credit_entry e
           WHERE ${owner} IS NOT NULL GROUP BY ${owner}) e FULL JOIN ${table} t USING (${owner})
   WHERE (coalesce(e.cycles, 0), coalesce(e.tasks, 0)) <> (coalesce(t.cycles, 0), coalesce(t.${tasks}, 0))`;
}

/** What one look at the database never finds, whatever happens at the moment. */
export const ALWAYS: readonly Invariant[] = [
  {
    title: 'totals of accounts are the sums of the ledger',
    violations: totalsOf('account_id', 'account_credit', 'tasks'),
  },
  {
    title: 'totals of hosts are the sums of the ledger',
    violations: totalsOf('host_id', 'host_standing', 'credited_tasks'),
  },
  {
    title: 'totals of teams are the sums of the ledger',
    violations: totalsOf('team_id', 'team_credit', 'tasks'),
  },
  {
    title: 'entries of a task alternate between granted and taken back',
    violations: `SELECT e.unit_id, e.ordinal, array_agg(e.cycles ORDER BY e.sequence)
      FROM credit_entry e GROUP BY e.unit_id, e.ordinal
    HAVING min(e.sequence) <> 0 OR max(e.sequence) <> count(*) - 1
        OR NOT bool_and(sign(e.cycles) = CASE e.sequence % 2 WHEN 0 THEN 1 ELSE -1 END)
        OR (${HELD} = 0) <> (sum(e.cycles) = 0)`,
  },
  {
    title: 'an account holds credit for a unit once',
    violations: `SELECT e.unit_id, e.account_id FROM credit_entry e
      GROUP BY e.unit_id, e.account_id HAVING ${HELD} > 1`,
  },
  {
    title:
      'nobody holds credit by an unapproved app, a job of their own, or a word that nobody has to confirm',
    violations: `SELECT e.unit_id, e.ordinal, j.name
      FROM credit_entry e JOIN work_unit u ON u.id = e.unit_id JOIN job j ON j.id = u.job_id
           JOIN app_version v ON v.id = j.app_version_id JOIN account s ON s.id = j.account_id
     WHERE v.approved_at IS NULL OR j.account_id = e.account_id OR (j.quorum = 1 AND NOT s.operator)
     GROUP BY e.unit_id, e.ordinal, j.name HAVING ${HELD} > 0`,
  },
  {
    title: 'a unit has no more tasks than its job allows, and none that it does not want',
    violations: `SELECT t.unit_id, u.wanted, j.max_tasks, count(*)
      FROM task t JOIN work_unit u ON u.id = t.unit_id JOIN job j ON j.id = u.job_id
     GROUP BY t.unit_id, u.wanted, j.max_tasks
    HAVING count(*) > j.max_tasks OR max(t.ordinal) >= u.wanted OR u.wanted > j.max_tasks`,
  },
  {
    title: 'no two counting tasks of a unit are of one account, or of one host where hosts may agree',
    violations: `SELECT t.unit_id, array_agg(t.ordinal)
      FROM task t JOIN work_unit u ON u.id = t.unit_id JOIN job j ON j.id = u.job_id
     WHERE t.counts
     GROUP BY t.unit_id, CASE j.distinct_by WHEN 'host' THEN t.host_id ELSE t.account_id END HAVING count(*) > 1`,
  },
  {
    title: 'a valid unit has a valid canonical result with its outputs',
    violations: `SELECT u.id, t.state, t.outputs_held
      FROM work_unit u LEFT JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal
     WHERE u.state = 'valid'
       AND (t.state = 'valid' AND t.counts AND t.outputs_held AND t.outputs IS NOT NULL) IS NOT TRUE`,
  },
  {
    title: 'an output of a valid unit that is not in its row is a blob',
    violations: `SELECT u.id, o.output
      FROM work_unit u JOIN task t ON t.unit_id = u.id AND t.ordinal = u.canonical_ordinal,
           jsonb_array_elements(t.outputs) AS o(output)
     WHERE u.state = 'valid' AND NOT o.output ? 'base64' AND NOT EXISTS (
           SELECT FROM blob_reference r WHERE r.owner_kind = 'task' AND r.owner_id = t.unit_id * 64 + t.ordinal
              AND r.role = o.output->>'name' AND encode(r.sha256, 'hex') = o.output->>'sha256')`,
  },
  {
    title: 'the tally of a job counts its settled units',
    violations: `SELECT j.id, j.state, c.*, t.*
      FROM job j LEFT JOIN job_tally t ON t.job_id = j.id, LATERAL (
           SELECT count(*) FILTER (WHERE state = 'valid') AS valid, count(*) FILTER (WHERE state = 'failed') AS failed,
                  count(*) FILTER (WHERE state = 'cancelled') AS cancelled
             FROM work_unit u WHERE u.job_id = j.id) c
     WHERE j.deleted_at IS NULL AND (c.valid, c.failed, c.cancelled)
        <> (coalesce(t.units_valid, 0), coalesce(t.units_failed, 0), coalesce(t.units_cancelled, 0))`,
  },
  {
    title: 'every task in progress has a lease',
    violations: `SELECT t.unit_id, t.ordinal FROM task t WHERE t.state = 'in-progress' AND NOT EXISTS (
      SELECT FROM lease l WHERE l.host_id = t.host_id AND l.unit_id = t.unit_id AND l.ordinal = t.ordinal)`,
  },
  {
    title: 'every lease is that of a task in progress',
    violations: `SELECT l.* FROM lease l WHERE NOT EXISTS (
      SELECT FROM task t WHERE t.host_id = l.host_id AND t.unit_id = l.unit_id AND t.ordinal = l.ordinal
                           AND t.state = 'in-progress')`,
  },
  {
    title: 'a completed job has an answer and no open unit',
    violations: `SELECT j.id FROM job j
      WHERE j.state = 'completed' AND j.deleted_at IS NULL AND (j.output_sha256 IS NULL OR EXISTS (
            SELECT FROM work_unit u WHERE u.job_id = j.id AND u.state NOT IN ${FINAL}))`,
  },
];
