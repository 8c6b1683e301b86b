import { Injectable } from '@nestjs/common';
import type { JobVisibility, PublicJob } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { AuditLog } from '../audit/index.js';
import { idFromCursor, NotFoundError, toPage, type Actor, type Page } from '../http/index.js';
import { JOB_SELECT, jobRow, presentJob } from '../jobs/index.js';

const factsRow = z.object({
  id: z.string(),
  project_name: z.string(),
  description: z.string(),
  scientist: z.string(),
});
const idRows = z.array(z.object({ id: z.string() }));

const SHOWN = 'j.is_public AND j.deleted_at IS NULL AND p.approved_at IS NOT NULL';

/** Jobs that their scientists show to everybody. A private job looks like one that does not exist. */
@Injectable()
export class PublicJobs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
  ) {}

  async get(jobId: string): Promise<PublicJob> {
    const [job] = await this.select('AND j.id = $1', [jobId]);
    if (!job) throw new NotFoundError(`public job ${jobId}`);
    return job;
  }

  /** Newest first; with `running`, only jobs that volunteers can work on now. */
  async list(running: boolean, cursor: string | undefined, limit: number): Promise<Page<PublicJob>> {
    const jobs = await this.select(
      `AND j.id < $1 AND (NOT $2 OR j.state IN ('splitting', 'running', 'assimilating')) ORDER BY j.id DESC LIMIT $3`,
      [idFromCursor(cursor), running, limit + 1],
    );
    return toPage(
      jobs,
      limit,
      (job) => job,
      ({ id }) => [id],
    );
  }

  /** Its submitter and operators decide. */
  async setVisibility(actor: Actor, jobId: string, visibility: JobVisibility): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const [changed] = idRows.parse(
        await manager.query(
          `WITH changed AS (
             UPDATE job SET is_public = $4
              WHERE id = $1 AND deleted_at IS NULL AND ($2 OR account_id = $3) RETURNING id)
           SELECT id FROM changed`,
          [jobId, actor.operator, actor.accountId, visibility.public],
        ),
      );
      if (!changed) throw new NotFoundError(`job ${jobId}`);
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: visibility.public ? 'job.publish' : 'job.hide',
        subject: `job ${jobId}`,
      });
    });
  }

  private async select(condition: string, parameters: readonly unknown[]): Promise<PublicJob[]> {
    const rows: unknown = await this.dataSource.query(`${JOB_SELECT} WHERE ${SHOWN} ${condition}`, [
      ...parameters,
    ]);
    const jobs = z.array(jobRow).parse(rows).map(presentJob);
    const facts = await this.factsOf(jobs.map(({ id }) => id));
    return jobs.map(({ spec: _inputs, output: _results, project, ...shown }) => {
      const known = facts.get(shown.id);
      return {
        ...shown,
        project: {
          slug: project,
          name: known?.project_name ?? project,
          description: known?.description ?? '',
        },
        scientist: known?.scientist ?? '',
      };
    });
  }

  private async factsOf(jobIds: readonly string[]): Promise<Map<string, z.infer<typeof factsRow>>> {
    if (jobIds.length === 0) return new Map();
    const rows: unknown = await this.dataSource.query(
      `SELECT j.id, p.name AS project_name, p.description, a.name AS scientist
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
