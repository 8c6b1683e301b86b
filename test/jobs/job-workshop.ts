import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Type } from '@nestjs/common';
import { BlobsService, type StoredBlob } from '@gleaner/coordinator';
import { jobSpec, type JobSpecInput } from '@gleaner/protocol';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import { createTestApplication, type TestApplication } from '../support/index.js';

const idRows = z.tuple([z.object({ id: z.string() })]);
const jobRows = z.tuple([
  z.object({
    state: z.string(),
    state_reason: z.string().nullable(),
    units_split: z.coerce.number(),
    output: z.string().nullable(),
  }),
]);
const unitRows = z.array(
  z.object({
    id: z.coerce.number(),
    index_in_job: z.coerce.number(),
    state: z.string(),
    wanted: z.number(),
    params: z.record(z.string(), z.unknown()),
    windows: z.record(z.string(), z.unknown()),
  }),
);

export type JobFacts = z.infer<typeof jobRows>[0];
export type UnitFacts = z.infer<typeof unitRows>[number];

export interface ReportedOutput {
  readonly name?: string;
  readonly text: string;
  /** In the blob store rather than in the task's row. */
  readonly asBlob?: boolean;
}

/** A coordinator with jobs that are submitted, and results that are reported, straight in its database. */
export class JobWorkshop {
  private constructor(
    private readonly gleaner: TestApplication,
    private readonly accountId: string,
    private readonly appVersionId: string,
    private readonly projectId: string,
  ) {}

  /** @param works whether it also works on the queues by itself */
  static async open({ works = false } = {}): Promise<JobWorkshop> {
    const gleaner = await createTestApplication({ env: { GLEANER_ROLE: works ? 'all' : 'api' } });
    const { dataSource } = gleaner;
    const insert = async (sql: string, values: unknown[] = []): Promise<string> =>
      idRows.parse(await dataSource.query(`${sql} RETURNING id`, values))[0].id;
    const accountId = await insert("INSERT INTO account (name, anonymous) VALUES ('scientist', false)");
    const projectId = await insert(
      "INSERT INTO project (slug, name, created_by, approved_at) VALUES ('p', 'P', $1, now())",
      [accountId],
    );
    const appId = await insert("INSERT INTO app (project_id, name) VALUES ($1, 'app')", [projectId]);
    const appVersionId = await insert(
      `INSERT INTO app_version (app_id, version, original_sha256, rewritten_sha256, runtime_version, stepping, report, uploaded_by)
       VALUES ($1, '1', $2, $2, '1', false, '{}', $3)`,
      [appId, randomBytes(32), accountId],
    );
    return new JobWorkshop(gleaner, accountId, appVersionId, projectId);
  }

  get dataSource(): DataSource {
    return this.gleaner.dataSource;
  }

  get dataDirectory(): string {
    return this.gleaner.config.dataDir;
  }

  get<T>(service: Type<T>): T {
    return this.gleaner.app.get(service);
  }

  close(): Promise<void> {
    return this.gleaner.close();
  }

  async store(content: string): Promise<StoredBlob> {
    return await this.get(BlobsService).storeBytes(Buffer.from(content), { accountId: this.accountId });
  }

  /** A job as submission leaves it. */
  async submit(about: Partial<JobSpecInput>): Promise<string> {
    const spec = jobSpec.parse({
      name: 'job',
      app: 'app@1',
      split: [{ kind: 'range', name: 'k', from: 0, to: 3, step: 1 }],
      ...about,
    });
    const { share, replication, limits } = spec;
    const rows: unknown = await this.dataSource.query(
      `INSERT INTO job (project_id, account_id, app_version_id, name, spec, share, quorum, max_errors, max_tasks, distinct_by,
                        memory_mib, task_deadline_ms)
       VALUES ($1, $2, $3, 'job', $4, $5, $6, $7, $8, $9, $10, 3600000) RETURNING id`,
      [
        this.projectId,
        this.accountId,
        this.appVersionId,
        JSON.stringify(spec),
        share,
        replication.quorum,
        replication.maxErrors,
        replication.maxTasks,
        replication.distinct,
        limits.memoryMiB,
      ],
    );
    return idRows.parse(rows)[0].id;
  }

  async job(jobId: string): Promise<JobFacts> {
    const rows: unknown = await this.dataSource.query(
      "SELECT state, state_reason, units_split, encode(output_sha256, 'hex') AS output FROM job WHERE id = $1",
      [jobId],
    );
    return jobRows.parse(rows)[0];
  }

  async units(jobId: string): Promise<UnitFacts[]> {
    return unitRows.parse(
      await this.dataSource.query(
        'SELECT id, index_in_job, state, wanted, params, windows FROM work_unit WHERE job_id = $1 ORDER BY id',
        [jobId],
      ),
    );
  }

  async count(table: 'work_unit' | 'task' | 'blob_reference' | 'lease', where = 'true'): Promise<number> {
    const rows: unknown = await this.dataSource.query(
      `SELECT count(*)::int AS count FROM ${table} WHERE ${where}`,
    );
    return z.tuple([z.object({ count: z.number() })]).parse(rows)[0].count;
  }

  async cancel(jobId: string): Promise<void> {
    await this.dataSource.query(
      "UPDATE job SET state = 'cancelled', state_reason = 'by its scientist', finished_at = now() WHERE id = $1",
      [jobId],
    );
  }

  /** Settles a unit as validation would: valid with these outputs, or failed where there are none. */
  async settle(unitId: number, outputs: readonly ReportedOutput[] | null): Promise<void> {
    if (outputs === null) {
      await this.dataSource.query("UPDATE work_unit SET state = 'failed', settled_at = now() WHERE id = $1", [
        unitId,
      ]);
      return;
    }
    const hostId = idRows.parse(
      await this.dataSource.query(
        `INSERT INTO host (account_id, name, kind, platform, cores, memory_mib, agent_version)
         VALUES ($1, 'host', 'agent', 'test', 1, 64, '1') RETURNING id`,
        [this.accountId],
      ),
    )[0].id;
    const stored = [];
    for (const { name = 'stdout', text, asBlob = false } of outputs) {
      const bytes = Buffer.from(text);
      const { sha256 } = await this.store(text);
      const output = { name, size: bytes.length, sha256 };
      stored.push(asBlob ? output : { ...output, base64: bytes.toString('base64') });
      if (asBlob) {
        await this.dataSource.query(
          "INSERT INTO blob_reference (sha256, owner_kind, owner_id, role) VALUES (decode($1, 'hex'), 'task', $2, $3)",
          [sha256, unitId * 64, name],
        );
      }
    }
    await this.dataSource.query(
      `INSERT INTO task (unit_id, ordinal, account_id, host_id, distinct_key, state, credit_eligible, anonymous, outputs_held,
                         outcome, cycles, digest, runtime_version, outputs)
       VALUES ($1, 0, $2, $3, $2, 'valid', true, false, true, 'ok', 1, '\\x00', '1', $4)`,
      [unitId, this.accountId, hostId, JSON.stringify(stored)],
    );
    await this.dataSource.query(
      "UPDATE work_unit SET state = 'valid', canonical_ordinal = 0, settled_at = now(), ticketed = wanted WHERE id = $1",
      [unitId],
    );
  }

  async read(sha256: string): Promise<string> {
    const parts: Buffer[] = [];
    for await (const part of await this.get(BlobsService).openContent(sha256))
      parts.push(Buffer.from(part as Uint8Array));
    return Buffer.concat(parts).toString();
  }

  /** Resolves once the job is as wanted. */
  async until(jobId: string, isReached: (job: JobFacts) => boolean): Promise<JobFacts> {
    for (;;) {
      const job = await this.job(jobId);
      if (isReached(job)) return job;
      await delay(5);
    }
  }
}
