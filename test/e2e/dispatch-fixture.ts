import { createHash, randomBytes } from 'node:crypto';
import {
  jobSpec,
  resultDigestText,
  type AttachedHost,
  type CreatedToken,
  type JobSpecInput,
  type ResultReport,
  type TaskAssignment,
  type WorkRequestInput,
  type WorkResponse,
} from '@gleaner/protocol';
import type { DataSource } from 'typeorm';

export const RUNTIME = 'test-1';

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
  readonly taskDeadline?: string;
  /** Blobs that exist, by name. */
  readonly inputs?: Readonly<Record<string, string>>;
}

/** A running job with its units, put straight into the database: what these tests are about begins after the split. */
export async function seedJob(database: DataSource, seed: JobSeed): Promise<SeededJob> {
  const spec = jobSpec.parse({
    name: 'seeded',
    app: 'seeded@1',
    inputs: { ...seed.inputs },
    split: [{ kind: 'range', name: 'x', from: 0, to: seed.units, step: 1 }],
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
       SELECT project.id, $2, version.id, 'seeded', $5, 'running', $6, $7, $8, $9, $10, $11, $12, $13
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
              '{}', $7::smallint
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
      Object.values(spec.inputs).map((blobId) => blobId.slice('sha256:'.length)),
    ],
  );
  if (!row) throw new Error('no job was inserted');
  return { jobId: Number(row.job_id), firstUnitId: Number(row.first), lastUnitId: Number(row.last) };
}

/** The result that every honest host computes for a task. */
export function honestResult(
  { taskId, params }: Pick<TaskAssignment, 'taskId' | 'params'>,
  text?: string,
  cycles = '123456',
): ResultReport {
  const bytes = Buffer.from(text ?? `unit ${JSON.stringify(params)}\n`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const result = {
    outcome: 'ok' as const,
    exitCode: 0,
    cycles,
    outputs: [{ name: 'stdout', size: bytes.length, sha256 }],
  };
  return {
    ...result,
    taskId,
    outputs: [{ name: 'stdout', size: bytes.length, sha256, base64: bytes.toString('base64') }],
    digest: createHash('sha256').update(resultDigestText(result)).digest('hex'),
    runtimeVersion: RUNTIME,
  };
}

/** A volunteer's host, speaking the protocol and nothing else. */
export class TestHost {
  private constructor(
    public url: string,
    readonly attached: AttachedHost,
    private readonly address: string | undefined,
  ) {}

  /** @param token of the account that the host joins; without one it is anonymous */
  static async attach(
    url: string,
    options: { token?: string; address?: string; cores?: number; kind?: 'agent' | 'browser' } = {},
  ): Promise<TestHost> {
    const attached = await send<AttachedHost>(url, 'POST', '/v1/hosts', {
      token: options.token,
      address: options.address,
      body: {
        host: {
          name: 'test host',
          kind: options.kind ?? 'agent',
          cores: options.cores ?? 4,
          memoryMiB: 8192,
        },
      },
    });
    return new TestHost(url, attached, options.address);
  }

  work(request: Partial<WorkRequestInput> = {}): Promise<WorkResponse> {
    return this.post<WorkResponse>('/v1/work', { protocol: 1, runtimeVersions: [RUNTIME], ...request });
  }

  /** Asks for tasks until some come or `tries` are used up: filling and feeding take a moment. */
  async ask(maxTasks = 1, memoryMiB = 4096, tries = 50): Promise<WorkResponse> {
    for (;;) {
      const answer = await this.work({ request: { maxTasks, memoryMiB, cores: 4 } });
      tries -= 1;
      if (answer.tasks.length > 0 || tries <= 0) return answer;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  report(...reports: ResultReport[]): Promise<WorkResponse> {
    return this.work({ reports });
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return send<T>(this.url, 'POST', path, { token: this.attached.secret, address: this.address, body });
  }
}

/** An account with a token that may attach hosts. */
export async function createVolunteer(
  url: string,
  operatorToken: string,
  name: string,
): Promise<{ accountId: string; token: string }> {
  const account = await send<{ id: string }>(url, 'POST', '/v1/accounts', {
    token: operatorToken,
    body: { name },
  });
  const created = await send<CreatedToken>(url, 'POST', `/v1/accounts/${account.id}/tokens`, {
    token: operatorToken,
    body: { label: 'test', scopes: ['work', 'submit'] },
  });
  return { accountId: account.id, token: created.secret };
}

interface SendOptions {
  readonly token?: string | undefined;
  /** Pretended address, for coordinators that trust their proxy. */
  readonly address?: string | undefined;
  readonly body: unknown;
}

export async function send<T>(url: string, method: string, path: string, options: SendOptions): Promise<T> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      'content-type': 'application/json',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.address === undefined ? {} : { 'x-forwarded-for': options.address }),
    },
    body: JSON.stringify(options.body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T; // `as`: the test names the type that the endpoint documents
}
