import { BoardRebuild } from '@gleaner/coordinator';
import { jobSpec, type JobSpec } from '@gleaner/protocol';
import type { DataSource } from 'typeorm';
import { BENCH_RUNTIME, type Volunteer } from './volunteers.js';

const UNITS_PER_STATEMENT = 100_000;
const ALLOWANCE_PER_DAY = 1_000_000_000;
const SCIENTIST = 'bench scientist';

/** Secret of the n-th host's token; the database gets its SHA-256. */
function secretOf(host: number): string {
  return `gln_bench_${String(host).padStart(40, '0')}`;
}

/** Each host on a /24 of its own. */
function addressOf(host: number): string {
  return `10.${(host >> 8) & 0xff}.${host & 0xff}.7`;
}

export function volunteersOf(count: number): Volunteer[] {
  return Array.from({ length: count }, (_, at) => ({ secret: secretOf(at + 1), address: addressOf(at + 1) }));
}

/** Fills an empty database: accounts with a host and a token each, an approved app, and a long history. */
export async function seedDatabase(
  database: DataSource,
  size: { readonly hosts: number; readonly earlierUnits: number },
): Promise<void> {
  const [already]: unknown[] = await database.query('SELECT 1 FROM account WHERE name = $1', [SCIENTIST]);
  if (already !== undefined) {
    await endJobs(database);
    return;
  }
  await database.query(
    `INSERT INTO account (id, name, anonymous) SELECT n, 'volunteer ' || n, false FROM generate_series(1, $1) n`,
    [size.hosts],
  );
  await database.query(
    `INSERT INTO host (id, account_id, name, kind, platform, cores, memory_mib, agent_version)
     SELECT n, n, 'host ' || n, 'agent', 'linux-x64', 4, 8192, '1' FROM generate_series(1, $1) n`,
    [size.hosts],
  );
  await database.query(
    `INSERT INTO host_standing (host_id, allowance_per_day) SELECT n, $2 FROM generate_series(1, $1) n`,
    [size.hosts, ALLOWANCE_PER_DAY],
  );
  await database.query(
    `INSERT INTO api_token (account_id, host_id, secret_sha256, label, scopes)
     SELECT n, n, sha256(convert_to('gln_bench_' || lpad(n::text, 40, '0'), 'UTF8')), 'bench', '{work}'
       FROM generate_series(1, $1) n`,
    [size.hosts],
  );
  await database.query(
    `WITH scientist AS (
       INSERT INTO account (id, name, anonymous) VALUES ($1, $2, false) RETURNING id
     ), project AS (
       INSERT INTO project (slug, name, created_by, approved_at) SELECT 'bench', 'bench', id, now() FROM scientist RETURNING id
     ), app AS (
       INSERT INTO app (project_id, name) SELECT id, 'bench' FROM project RETURNING id
     )
     INSERT INTO app_version (app_id, version, original_sha256, rewritten_sha256, runtime_version, stepping, report,
                              uploaded_by, approved_at)
     SELECT app.id, '1', sha256('bench'), sha256('bench'), $3, false, '{}', scientist.id, now() FROM app, scientist`,
    [size.hosts + 1, SCIENTIST, BENCH_RUNTIME],
  );
  for (const table of ['account', 'host', 'api_token']) {
    await database.query(`SELECT setval(pg_get_serial_sequence($1, 'id'), (SELECT max(id) FROM ${table}))`, [
      table,
    ]);
  }
  await seedHistory(database, size.earlierUnits, size.hosts);
  // As they would be after such a history: the first coordinator would make them all from the ledger.
  await new BoardRebuild(database).rebuild();
  await database.query('VACUUM ANALYZE');
  await database.query('CHECKPOINT');
}

/** What an earlier run on the same database left unfinished must not take part in this one. */
async function endJobs(database: DataSource): Promise<void> {
  await database.query(
    "UPDATE job SET state = 'completed', finished_at = now() WHERE state IN ('splitting', 'running', 'assimilating')",
  );
  await database.query('TRUNCATE lease');
}

/** Settled units of an ended job with two valid, credited tasks each. */
async function seedHistory(database: DataSource, units: number, hosts: number): Promise<void> {
  const jobId = await insertJob(database, 'earlier', units, 'completed');
  await database.query('SELECT make_unit_partitions($1)', [units]);
  for (let from = 1; from <= units; from += UNITS_PER_STATEMENT) {
    const to = Math.min(units, from + UNITS_PER_STATEMENT - 1);
    await database.query(
      `INSERT INTO work_unit (id, job_id, index_in_job, params, windows, state, ticketed, wanted, canonical_ordinal,
                              ticketed_at, settled_at)
       SELECT n, $1, n, jsonb_build_object('x', jsonb_build_object('from', n, 'to', n + 1)), '{}', 'valid', 2, 2, 0,
              now() - interval '1 day', now() - interval '1 day' FROM generate_series($2::bigint, $3::bigint) n`,
      [jobId, from, to],
    );
    await database.query(
      `INSERT INTO task (unit_id, ordinal, account_id, host_id, distinct_key, credit_eligible, anonymous, state,
                         assigned_at, reported_at, outcome, exit_code, cycles, digest, runtime_version, outputs_held, outputs)
       SELECT n, o, a, a, a, true, false, 'valid', now() - interval '1 day', now() - interval '1 day', 'ok', 0, 1000,
              sha256('result'), $4, o = 0,
              CASE o WHEN 0 THEN '[{"name": "stdout", "size": 12, "sha256": "", "base64": "eyJmb3VuZCI6MH0K"}]'::jsonb END
         FROM generate_series($1::bigint, $2::bigint) n, generate_series(0, 1) o,
              LATERAL (SELECT (n * 7 + o * 13) % $3::bigint + 1 AS a) account`,
      [from, to, hosts, BENCH_RUNTIME],
    );
    await database.query(
      `INSERT INTO credit_entry (unit_id, ordinal, account_id, host_id, cycles, granted_at)
       SELECT unit_id, ordinal, account_id, host_id, cycles, reported_at FROM task WHERE unit_id BETWEEN $1 AND $2`,
      [from, to],
    );
  }
  await database.query(`SELECT setval('work_unit_id_seq', $1)`, [units]);
  await database.query(
    `INSERT INTO account_credit (account_id, cycles, tasks)
     SELECT account_id, sum(cycles), count(*) FROM credit_entry GROUP BY account_id`,
  );
  await database.query(
    `UPDATE host_standing s SET cycles = c.cycles, credited_tasks = c.tasks, valid_tasks = c.tasks
       FROM account_credit c WHERE s.host_id = c.account_id`,
  );
}

/** A job of the bench's app; `splitting` ones are split by the coordinators. */
export async function insertJob(
  database: DataSource,
  name: string,
  units: number,
  state: 'splitting' | 'completed' = 'splitting',
): Promise<string> {
  const spec: JobSpec = jobSpec.parse({
    name,
    app: 'bench@1',
    split: [{ kind: 'range', name: 'x', from: 0, to: units, step: 1 }],
    args: ['{x.from}', '{x.to}'],
    merge: { kind: 'lines', unique: true },
  });
  const [job]: Array<{ id: string }> = await database.query(
    `INSERT INTO job (project_id, account_id, app_version_id, name, spec, state, share, quorum, max_errors, max_tasks,
                      distinct_by, memory_mib, task_deadline_ms, finished_at)
     SELECT p.id, a.id, v.id, $1, $2, $3, 1, 2, 6, 10, 'account', 64, 21600000,
            CASE WHEN $3 = 'completed'::job_state THEN now() END
       FROM project p, account a, app_version v WHERE p.slug = 'bench' AND a.name = $4 RETURNING id`,
    [name, JSON.stringify(spec), state, SCIENTIST],
  );
  if (!job) throw new Error('the database is not seeded');
  return job.id;
}
