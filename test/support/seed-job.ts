import { randomBytes } from 'node:crypto';
import { hexOfBlobId, jobSpec, type JobSpecInput } from '@gleaner/protocol';
import type { DataSource } from 'typeorm';
import { RUNTIME } from './test-results.js';

export interface SeededJob {
  readonly jobId: number;
  readonly firstUnitId: number;
  readonly lastUnitId: number;
}

export interface JobSeed {
  readonly units: number;
  readonly accountId: string;
  readonly approved?: boolean;
  readonly replication?: JobSpecInput['replication'];
  readonly memoryMiB?: number;
  readonly share?: number;
  /** 'running' unless it says otherwise. */
  readonly state?: 'running' | 'paused';
  readonly taskDeadline?: string;
  /** Blobs that exist, by name. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** Each unit has the next window of this input. */
  readonly cut?: { readonly input: string; readonly windowBytes: number };
}

/** A running job with its units, put straight into the database: what these tests are about begins after the split. */
export async function seedJob(database: DataSource, seed: JobSeed): Promise<SeededJob> {
  const spec = jobSpec.parse({
    name: 'seeded',
    app: 'seeded@1',
    inputs: { ...seed.inputs },
    split: [
      { kind: 'range', name: 'x', from: 0, to: seed.units, step: 1 },
      ...(seed.cut ? [{ kind: 'bytes' as const, name: 'w', ...seed.cut }] : []),
    ],
    args: ['{x.from}'],
    limits: { memoryMiB: seed.memoryMiB ?? 64 },
    replication: seed.replication ?? {},
    ...(seed.share === undefined ? {} : { share: seed.share }),
    ...(seed.taskDeadline === undefined ? {} : { taskDeadline: seed.taskDeadline }),
  } satisfies JobSpecInput);
  const name = `p${randomBytes(6).toString('hex')}`;
  const [row]: Array<{ job_id: string; first: string; last: string }> = await database.query(
    `WITH project AS (
       INSERT INTO project (slug, name, created_by, approved_at) VALUES ($1, $1, $2, now()) RETURNING id
     ), app AS (
       INSERT INTO app (project_id, name) SELECT id, $1 FROM project RETURNING id
     ), version AS (
       INSERT INTO app_version (app_id, version, original_sha256, rewritten_sha256, runtime_version, stepping, report,
                                uploaded_by, approved_at)
       SELECT id, '1', sha256($1::bytea), sha256($1::bytea), $3, false, '{}', $2, CASE WHEN $4 THEN now() END FROM app
       RETURNING id
     ), job AS (
       INSERT INTO job (project_id, account_id, app_version_id, name, spec, state, share, quorum, max_errors, max_tasks,
                        distinct_by, memory_mib, task_deadline_ms, units_split)
       SELECT project.id, $2, version.id, 'seeded', $5, $18, $6, $7, $8, $9, $10, $11, $12, $13
         FROM project, version RETURNING id
     ), tally AS (
       INSERT INTO job_tally (job_id) SELECT id FROM job
     ), input AS (
       INSERT INTO blob_reference (sha256, owner_kind, owner_id, role)
       SELECT decode(i.sha256, 'hex'), 'job', job.id, 'input:' || i.name
         FROM job, unnest($14::text[], $15::text[]) AS i(name, sha256)
     ), unit AS (
       INSERT INTO work_unit (id, job_id, index_in_job, params, windows, wanted)
       SELECT nextval('work_unit_id_seq'), job.id, i, jsonb_build_object('x', jsonb_build_object('from', i, 'to', i + 1)),
              CASE WHEN $16::text IS NULL THEN '{}'
                   ELSE jsonb_build_object($16::text, jsonb_build_object('offset', i * $17::bigint, 'length', $17::bigint)) END,
              $7::smallint
         FROM job, generate_series(0, $13::bigint - 1) i
       RETURNING id, job_id
     )
     SELECT (SELECT id FROM job) AS job_id, min(id) AS first, max(id) AS last FROM unit`,
    [
      name,
      seed.accountId,
      RUNTIME,
      seed.approved ?? true,
      JSON.stringify(spec),
      spec.share,
      spec.replication.quorum,
      spec.replication.maxErrors,
      spec.replication.maxTasks,
      spec.replication.distinct,
      spec.limits.memoryMiB,
      6 * 3600 * 1000,
      seed.units,
      Object.keys(spec.inputs),
      Object.values(spec.inputs).map(hexOfBlobId),
      seed.cut?.input ?? null,
      seed.cut?.windowBytes ?? 0,
      seed.state ?? 'running',
    ],
  );
  if (!row) throw new Error('no job was inserted');
  return { jobId: Number(row.job_id), firstUnitId: Number(row.first), lastUnitId: Number(row.last) };
}
