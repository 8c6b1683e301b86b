import { Injectable } from '@nestjs/common';
import type { JobVisibility, PublicJob } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AuditLog } from '../audit/index.js';
import { DomainError, idFromCursor, NotFoundError, toPage, type Actor, type Page } from '../http/index.js';
import { anothersJob, JOB_SELECT, JOB_VISIBLE, jobRow, presentJob } from '../jobs/index.js';
import { QueueService } from '../queue/index.js';
import { SharedAnswers } from './shared-answers.js';

const factsRow = z.object({
  id: z.string(),
  project_name: z.string(),
  description: z.string(),
  scientist: z.string(),
  is_shown: z.boolean(),
  shows_results: z.boolean(),
});
const idRows = z.array(z.object({ id: z.string() }));

const outputRows = z.array(
  z.object({ sha256: z.string(), size_bytes: z.coerce.number().int(), shows_results: z.boolean() }),
);

/** SQL: whether everybody may see job `j` of project `p`. */
export const SHOWN = 'j.is_public AND j.deleted_at IS NULL AND p.approved_at IS NOT NULL';

const LISTS_FRESHNESS_MS = 1_000;
const CACHED_LISTS = 200;

/** A merged answer, as `sendContent` takes it. */
interface PublicOutput {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Jobs that their scientists show to everybody. A private job looks like one that does not exist. */
@Injectable()
export class PublicJobs {
  private readonly lists = new SharedAnswers<Page<PublicJob>>(CACHED_LISTS, LISTS_FRESHNESS_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
    private readonly queues: QueueService,
  ) {}

  /** The job, whether it is shown to everybody or not: {@link mayLook} before it leaves the coordinator. */
  async get(jobId: string): Promise<PublicJob> {
    const [job] = await this.select('j.deleted_at IS NULL AND j.id = $1', [jobId]);
    if (!job) throw new NotFoundError(`public job ${jobId}`);
    return job;
  }

  /** Whether it is the caller's to see although it is not shown to everybody. */
  async mayLook(jobId: string, actor: Actor | null): Promise<boolean> {
    if (!actor || actor.hostId !== null) return false;
    const rows = idRows.parse(
      await this.dataSource.query(`SELECT j.id FROM job j WHERE ${JOB_VISIBLE} AND j.id = $3`, [
        actor.operator,
        actor.accountId,
        jobId,
      ]),
    );
    return rows.length > 0;
  }

  /** What a public job found, where its scientist shows that. */
  async output(jobId: string): Promise<PublicOutput> {
    const [row] = outputRows.parse(
      await this.dataSource.query(
        `SELECT encode(b.sha256, 'hex') AS sha256, b.size_bytes, j.shows_results
           FROM job j JOIN project p ON p.id = j.project_id JOIN blob b ON b.sha256 = j.output_sha256
          WHERE ${SHOWN} AND j.id = $1`,
        [jobId],
      ),
    );
    if (!row) throw new NotFoundError(`output of public job ${jobId}`);
    if (!row.shows_results) {
      throw new DomainError(
        'forbidden',
        `The scientist of job ${jobId} does not show its results to everybody.`,
      );
    }
    return { sha256: row.sha256, sizeBytes: row.size_bytes };
  }

  /** Newest first; with `running`, only jobs that volunteers can work on now. */
  list(running: boolean, cursor: string | undefined, limit: number): Promise<Page<PublicJob>> {
    const beforeId = idFromCursor(cursor);
    return this.lists.get(`${running} ${beforeId} ${limit}`, async () => {
      const jobs = await this.select(
        `${SHOWN} AND j.id < $1 AND (NOT $2 OR j.state IN ('splitting', 'running', 'assimilating')) ORDER BY j.id DESC LIMIT $3`,
        [beforeId, running, limit + 1],
      );
      return toPage(
        jobs,
        limit,
        (job) => job,
        ({ id }) => [id],
      );
    });
  }

  /** Its submitter and operators decide. */
  async setVisibility(actor: Actor, jobId: string, visibility: JobVisibility): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const [changed] = idRows.parse(
        await manager.query(
          `WITH changed AS (
             UPDATE job SET is_public = $4, shows_results = coalesce($5, shows_results)
              WHERE id = $1 AND deleted_at IS NULL AND ($2 OR account_id = $3) RETURNING id)
           SELECT id FROM changed`,
          [jobId, actor.operator, actor.accountId, visibility.public, visibility.results ?? null],
        ),
      );
      if (!changed) {
        throw (await this.mayLook(jobId, actor)) ? anothersJob(jobId) : new NotFoundError(`job ${jobId}`);
      }
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: visibility.public ? 'job.publish' : 'job.hide',
        subject: `job ${jobId}`,
      });
    });
  }

  private async select(condition: string, parameters: readonly unknown[]): Promise<PublicJob[]> {
    const rows: unknown = await this.dataSource.query(`${JOB_SELECT} WHERE ${condition}`, [...parameters]);
    const queueTrouble = this.queues.knownTrouble();
    const jobs = z
      .array(jobRow)
      .parse(rows)
      .map((row) => presentJob(row, queueTrouble));
    const facts = await this.factsOf(jobs.map(({ id }) => id));
    return jobs.map(({ spec: _inputs, accountId: _submitter, output, project, ...shown }) => {
      const known = facts.get(shown.id);
      return {
        ...shown,
        project: {
          slug: project,
          name: known?.project_name ?? project,
          description: known?.description ?? '',
        },
        scientist: known?.scientist ?? '',
        visibility: { public: known?.is_shown ?? false, results: known?.shows_results ?? false },
        output: output && known?.shows_results ? { sizeBytes: output.sizeBytes } : null,
      };
    });
  }

  private async factsOf(jobIds: readonly string[]): Promise<Map<string, z.infer<typeof factsRow>>> {
    if (jobIds.length === 0) return new Map();
    const rows: unknown = await this.dataSource.query(
      `SELECT j.id, p.name AS project_name, p.description, a.name AS scientist, j.shows_results,
              ${SHOWN} AS is_shown
         FROM job j JOIN project p ON p.id = j.project_id JOIN account a ON a.id = j.account_id
        WHERE j.id = ANY ($1::bigint[])`,
      [jobIds],
    );
    return new Map(
      z
        .array(factsRow)
        .parse(rows)
        .map((row) => [row.id, row]),
    );
  }
}
