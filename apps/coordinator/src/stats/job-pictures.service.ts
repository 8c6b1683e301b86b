import { Injectable } from '@nestjs/common';
import { squareOf, type SquareCounts } from '@gleaner/domain';
import { NotFoundError, type Actor } from '../http/index.js';
import { SQUARES_MAX, type JobSquares, type PublicJob, type PublicJobView } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { SwarmCopies } from '../tracker/index.js';
import { PublicJobs } from './public-jobs.service.js';
import { SharedAnswers } from './shared-answers.js';

const FRESHNESS_MS = 1_000;
/** Looking through millions of units takes seconds: such a job's picture is drawn seldom. */
const LARGE_FRESHNESS_MS = 60_000;
const LARGE_JOB_UNITS = 100_000;
const CACHED_JOBS = 200;
const WINDOW_SECONDS = 600;
const HELPERS_MAX = 12;

const count = z.coerce.number().int();
const squareRows = z.array(
  z.object({
    square: count,
    units: count,
    valid: count,
    failed: count,
    cancelled: count,
    computing: count,
    reported: count,
    lately: count,
  }),
);
const helperRows = z.array(z.object({ id: z.string(), name: z.string(), tasks: count, cycles: z.string() }));

/** `$1` job, `$2` units per square, `$3` whether to look at the tasks of open units. */
const SQUARES_SQL = `
  SELECT u.index_in_job / $2 AS square, count(*) AS units,
         count(*) FILTER (WHERE u.state = 'valid') AS valid, count(*) FILTER (WHERE u.state = 'failed') AS failed,
         count(*) FILTER (WHERE u.state = 'cancelled') AS cancelled, count(*) FILTER (WHERE t.computing) AS computing,
         count(*) FILTER (WHERE u.state = 'awaiting-output' OR (t.reported AND NOT t.computing)) AS reported,
         count(*) FILTER (WHERE u.settled_at > now() - interval '${WINDOW_SECONDS} seconds') AS lately
    FROM work_unit u
    LEFT JOIN LATERAL (
      SELECT bool_or(state = 'in-progress') AS computing, bool_or(state = 'reported') AS reported
        FROM task WHERE $3 AND u.state = 'open' AND task.unit_id = u.id) t ON true
   WHERE u.job_id = $1 GROUP BY 1 ORDER BY 1`;

/**
 * Who helped most, of the job's latest {@link LARGE_JOB_UNITS} units. OFFSET has their tasks looked up unit by unit: where partitions
 * are many, the planner would rather read the tasks of all jobs.
 */
const HELPERS_SQL = `
  SELECT a.id, CASE WHEN a.deleted_at IS NULL THEN a.name ELSE 'a former volunteer' END AS name,
         count(*) AS tasks, trunc(sum(t.cycles))::text AS cycles
    FROM (SELECT id FROM work_unit WHERE job_id = $1 ORDER BY id DESC LIMIT ${LARGE_JOB_UNITS}) u
    CROSS JOIN LATERAL (SELECT account_id, cycles FROM task WHERE unit_id = u.id AND state = 'valid' OFFSET 0) t
    JOIN account a ON a.id = t.account_id
   GROUP BY a.id ORDER BY count(*) DESC, a.id LIMIT ${HELPERS_MAX}`;

/** Draws each job once for everybody who looks at it. */
@Injectable()
export class JobPictures {
  private readonly views = new SharedAnswers<PublicJobView>(CACHED_JOBS, FRESHNESS_MS);
  private readonly largePictures = new SharedAnswers<Omit<PublicJobView, 'job'>>(
    CACHED_JOBS,
    LARGE_FRESHNESS_MS,
  );

  constructor(
    private readonly dataSource: DataSource,
    private readonly jobs: PublicJobs,
    private readonly swarm: SwarmCopies,
  ) {}

  /** A job that everybody may see, or that is the caller's; to others a private one looks like one that does not exist. */
  async view(jobId: string, actor: Actor | null): Promise<PublicJobView> {
    const view = await this.look(jobId);
    if (view.job.visibility.public || (await this.jobs.mayLook(jobId, actor))) return view;
    throw new NotFoundError(`public job ${jobId}`);
  }

  /** The job, whoever may see it. */
  look(jobId: string): Promise<PublicJobView> {
    return this.views.get(jobId, async () => {
      const job = await this.jobs.get(jobId);
      const isLarge = job.units.total > LARGE_JOB_UNITS;
      const drawn = isLarge ? this.largePictures.get(jobId, () => this.draw(job)) : this.draw(job);
      return { job, ...(await drawn) };
    });
  }

  private async draw(job: PublicJob): Promise<Omit<PublicJobView, 'job'>> {
    return {
      picture: await this.squares(job),
      helpers: await this.helpers(job.id),
      swarm: await this.swarm.ofJob(job.id),
    };
  }

  private async squares({ id, units }: PublicJob): Promise<JobSquares> {
    const unitsPerSquare = Math.max(1, Math.ceil(units.total / SQUARES_MAX));
    const rows = squareRows.parse(
      await this.dataSource.query(SQUARES_SQL, [id, unitsPerSquare, units.total <= LARGE_JOB_UNITS]),
    );
    return {
      squares: rows.map((row: SquareCounts) => squareOf(row)).join(''),
      unitsPerSquare,
      settledLately: rows.reduce((sum, { lately }) => sum + lately, 0),
      windowSeconds: WINDOW_SECONDS,
    };
  }

  private async helpers(jobId: string): Promise<PublicJobView['helpers']> {
    const rows = helperRows.parse(await this.dataSource.query(HELPERS_SQL, [jobId]));
    return rows.map(({ id, name, tasks, cycles }) => ({ id, name, validTasks: tasks, cycles }));
  }
}
