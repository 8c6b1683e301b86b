import { Injectable } from '@nestjs/common';
import type { Job, JobState } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AuditLog, type AuditAction } from '../audit/index.js';
import { DomainError, idFromCursor, NotFoundError, toPage, type Actor, type Page } from '../http/index.js';
import { QUEUES, QueueService, type CleanData, type SplitData } from '../queue/index.js';
import { anothersJob } from './anothers-job.js';
import { JOB_SELECT, JOB_VISIBLE, jobRow, presentJob, type JobRow } from './job-rows.js';

const jobRows = z.array(jobRow);
const lockedRows = z.array(z.object({ state: jobRow.shape.state, account_id: z.string() }));

const fittingRows = z.tuple([z.object({ fitting: z.coerce.number() })]);

/** Of stored job files in one page: a file may have megabytes, and a page of many such takes the coordinator seconds. */
const PAGE_SPEC_BYTES = 1024 * 1024;

const CANCELLABLE: readonly JobState[] = ['splitting', 'running', 'paused', 'assimilating'];

@Injectable()
export class JobsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
    private readonly queues: QueueService,
  ) {}

  async get(actor: Actor, jobId: string): Promise<Job> {
    const [row] = await this.select(actor, 'AND j.id = $3', [jobId]);
    if (!row) throw new NotFoundError(`job ${jobId}`);
    return presentJob(row, this.queues.knownTrouble());
  }

  /** The merged answer. @throws {DomainError} where the job has not come so far, or never will */
  async outputOf(actor: Actor, jobId: string): Promise<NonNullable<Job['output']>> {
    const { state, stateReason, output } = await this.get(actor, jobId);
    if (output) return output;
    const reason = stateReason === null ? '' : ` (${stateReason})`;
    throw new DomainError('wrong-state', `Job ${jobId} is ${state}${reason}: it has no output.`);
  }

  /** Newest first; fewer than `limit` where their job files are large. */
  async list(actor: Actor, cursor: string | undefined, limit: number): Promise<Page<Job>> {
    const after = idFromCursor(cursor);
    const [{ fitting }] = fittingRows.parse(
      await this.dataSource.query(
        `SELECT count(*) AS fitting FROM (
           SELECT sum(bytes) OVER (ORDER BY id DESC) AS bytes FROM (
             SELECT j.id, pg_column_size(j.spec) AS bytes FROM job j
              WHERE ${JOB_VISIBLE} AND j.id < $3 ORDER BY j.id DESC LIMIT $4) first) summed
          WHERE bytes <= ${PAGE_SPEC_BYTES}`,
        [actor.operator, actor.accountId, after, limit],
      ),
    );
    const shown = Math.max(1, fitting);
    const rows = await this.select(actor, 'AND j.id < $3 ORDER BY j.id DESC LIMIT $4', [after, shown + 1]);
    const queueTrouble = this.queues.knownTrouble();
    return toPage(
      rows,
      shown,
      (row) => presentJob(row, queueTrouble),
      ({ id }) => [id],
    );
  }

  /** Ends the job. What hosts still compute for it is aborted at their next heartbeat. Repeating it changes nothing. */
  async cancel(actor: Actor, jobId: string): Promise<Job> {
    await this.change(actor, jobId, 'job.cancel', async (manager, state) => {
      if (state === 'cancelled') return false;
      if (!CANCELLABLE.includes(state)) throw wrongState(jobId, state, 'cancelled');
      await manager.query(
        "UPDATE job SET state = 'cancelled', state_reason = 'cancelled on request', finished_at = now() WHERE id = $1",
        [jobId],
      );
      return true;
    });
    await this.clean(jobId);
    return await this.get(actor, jobId);
  }

  /** No new units or tasks until resumed; tasks in progress are finished and counted. */
  async pause(actor: Actor, jobId: string): Promise<Job> {
    await this.change(actor, jobId, 'job.pause', async (manager, state) => {
      if (state === 'paused') return false;
      if (state !== 'running' && state !== 'splitting') throw wrongState(jobId, state, 'paused');
      await manager.query(
        "UPDATE job SET state = 'paused', state_reason = 'paused on request' WHERE id = $1",
        [jobId],
      );
      return true;
    });
    return await this.get(actor, jobId);
  }

  async resume(actor: Actor, jobId: string): Promise<Job> {
    await this.change(actor, jobId, 'job.resume', async (manager, state) => {
      if (state === 'running' || state === 'splitting') return false;
      if (state !== 'paused') throw wrongState(jobId, state, 'resumed');
      await manager.query(
        `UPDATE job SET state_reason = NULL,
                state = CASE WHEN split_at IS NULL THEN 'splitting' ELSE 'running' END::job_state WHERE id = $1`,
        [jobId],
      );
      return true;
    });
    // Where all its units are there, this finds nothing to do.
    await this.queues.queue<SplitData>(QUEUES.split).announce({ jobId }, { dedupeId: jobId });
    await this.queues.queue<object>(QUEUES.fill).announce({}, { dedupeId: 'fill' });
    return await this.get(actor, jobId);
  }

  /** Ends the job if it has not ended, and forgets it with its units and output. Credit stays with the volunteers. */
  async delete(actor: Actor, jobId: string): Promise<void> {
    await this.change(actor, jobId, 'job.delete', async (manager, state) => {
      await manager.query(
        `UPDATE job SET deleted_at = now(),
                state = CASE WHEN $2 THEN 'cancelled'::job_state ELSE state END, finished_at = coalesce(finished_at, now())
          WHERE id = $1`,
        [jobId, CANCELLABLE.includes(state)],
      );
      return true;
    });
    await this.clean(jobId);
  }

  /** Runs a change of the job's state with its row locked; only its submitter and operators may. */
  private async change(
    actor: Actor,
    jobId: string,
    action: AuditAction,
    work: (manager: EntityManager, state: JobState) => Promise<boolean>,
  ): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const [job] = lockedRows.parse(
        await manager.query(
          'SELECT state, account_id FROM job WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
          [jobId],
        ),
      );
      if (!job) throw new NotFoundError(`job ${jobId}`);
      if (!actor.operator && job.account_id !== actor.accountId) {
        // Who may not see it either is told no more than of one that is not there.
        await this.get(actor, jobId);
        throw anothersJob(jobId);
      }
      if (!(await work(manager, job.state))) return;
      await this.audit.record(manager, { accountId: actor.accountId, action, subject: `job ${jobId}` });
    });
  }

  private async clean(jobId: string): Promise<void> {
    await this.queues.queue<CleanData>(QUEUES.clean).announce({ jobId }, { dedupeId: jobId });
  }

  private async select(actor: Actor, condition: string, parameters: readonly unknown[]): Promise<JobRow[]> {
    return jobRows.parse(
      await this.dataSource.query(`${JOB_SELECT} WHERE ${JOB_VISIBLE} ${condition}`, [
        actor.operator,
        actor.accountId,
        ...parameters,
      ]),
    );
  }
}

function wrongState(jobId: string, state: JobState, participle: string): DomainError {
  return new DomainError('wrong-state', `Job ${jobId} is ${state}: it cannot be ${participle}.`);
}
