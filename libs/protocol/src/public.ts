import { z } from 'zod';
import { jobProgress } from './jobs.js';
import { decimalString, entityId, isoInstant, lineOf, pageOf, slug } from './primitives.js';
import { jobSwarm } from './swarm-traffic.js';

/** What everybody may know of the whole installation. */
export const siteStats = z
  .strictObject({
    name: z.string(),
    at: isoInstant,
    totals: z.strictObject({
      cycles: decimalString.describe('Validated cycles of all time: the sum of all credit.'),
      tasks: z.number().int().describe('Those that were credited.'),
      accounts: z.number().int().describe('That were ever credited.'),
      hosts: z.number().int().describe('That were ever credited.'),
      savedBytes: decimalString.describe(
        'Of inputs that volunteers had from each other instead of from the coordinator.',
      ),
    }),
    now: z.strictObject({
      hosts: z.number().int().describe('That have a task.'),
      tasks: z.number().int().describe('That machines have.'),
      runningJobs: z.number().int().describe('Private ones as well.'),
      cyclesPerSecond: decimalString.describe('Mean of validated work over `windowSeconds`.'),
      validatedTasks: z.number().int().describe('Within `windowSeconds`.'),
      windowSeconds: z.number().int().describe('The last so many seconds.'),
    }),
  })
  .meta({ id: 'SiteStats' });
export type SiteStats = z.infer<typeof siteStats>;

export const STATISTICS_GRAINS = ['hour', 'day'] as const;
/** Validated work of one hour or day of UTC. */
export const statisticsPoint = z
  .strictObject({
    startsAt: isoInstant.describe('Of the hour or the day, of UTC.'),
    cycles: decimalString.describe('Credited then.'),
    tasks: z.number().int().describe('Credited then.'),
    units: z.number().int().describe('Whose first credit was granted then.'),
    hosts: z.number().int().describe('That were credited then, each once.'),
    savedBytes: decimalString.describe('Of inputs that volunteers had from each other.'),
  })
  .meta({ id: 'StatisticsPoint' });
export type StatisticsPoint = z.infer<typeof statisticsPoint>;

export const statisticsHistory = z
  .strictObject({
    grain: z.enum(STATISTICS_GRAINS),
    points: z.array(statisticsPoint).describe('Oldest first and without gaps; the last one is not over.'),
  })
  .meta({ id: 'StatisticsHistory' });
export type StatisticsHistory = z.infer<typeof statisticsHistory>;

export const statisticsQuery = z.strictObject({
  grain: z.enum(STATISTICS_GRAINS).default('hour').describe('What one point stands for.'),
  points: z.coerce.number().int().min(2).max(366).default(48).describe('How many, up to now.'),
});
export type StatisticsQuery = z.infer<typeof statisticsQuery>;

/** What a job's scientist shows to everybody; changing `public` alone leaves `results` as it is. */
export const jobVisibility = z
  .strictObject({
    public: z.boolean().describe('Everybody sees its page, and finds it in lists.'),
    results: z
      .boolean()
      .optional()
      .describe(
        'Everybody has its answer, once it has completed and while it is public; left out, this stays as it is.',
      ),
  })
  .meta({ id: 'JobVisibility' });
export type JobVisibility = z.infer<typeof jobVisibility>;

/** A job as its page shows it: its progress, never its inputs, and its answer only where its scientist shows that too. */
export const publicJob = z
  .strictObject({
    id: entityId,
    name: z.string(),
    project: z.strictObject({ slug, name: z.string(), description: z.string() }),
    scientist: z.string().describe('The name of the account that submitted it.'),
    app: z.string().describe('`NAME@VERSION`.'),
    ...jobProgress,
    createdAt: isoInstant,
    finishedAt: isoInstant.nullable().describe('null until it has completed, failed or been cancelled.'),
    visibility: z
      .strictObject({ public: z.boolean(), results: z.boolean() })
      .describe('A job that is not public is only seen by those whose it is.'),
    output: z
      .strictObject({ sizeBytes: z.number().int() })
      .nullable()
      .describe(
        'The answer at `/v1/public/jobs/ID/output`; null before it is there, or where it is not shown to everybody.',
      ),
  })
  .meta({ id: 'PublicJob' });
export type PublicJob = z.infer<typeof publicJob>;
export const publicJobPage = pageOf(publicJob).meta({ id: 'PublicJobPage' });

export const BOARD_PERIODS = ['all', 'rac', 'day', 'week', 'month'] as const;
export const boardPeriod = z.enum(BOARD_PERIODS).meta({
  id: 'BoardPeriod',
  description:
    '`rac`: recent average credit, of which half is forgotten in a week. `day`, `week` and `month` are those of now, of UTC; weeks begin on Monday.',
});
export type BoardPeriod = z.infer<typeof boardPeriod>;
export const boardKind = z.enum(['accounts', 'hosts', 'teams']).meta({ id: 'BoardKind' });
export type BoardKind = z.infer<typeof boardKind>;

export const boardRow = z
  .strictObject({
    rank: z.number().int().nullable().describe('Up to a minute old; null: nothing was earned in the period.'),
    id: entityId,
    name: z.string(),
    value: decimalString.describe('What the period is ranked by: cycles, or for `rac` cycles a day.'),
    credit: decimalString.describe('Validated cycles of all time.'),
    validTasks: z.number().int().describe('Credited ones of all time.'),
  })
  .meta({ id: 'BoardRow' });
export type BoardRow = z.infer<typeof boardRow>;

export const boardPage = z
  .strictObject({
    period: boardPeriod,
    page: z.number().int(),
    total: z
      .number()
      .int()
      .describe('Rows of the whole board, whatever was searched for; up to a minute old.'),
    items: z.array(boardRow).describe('By rank; what a search finds with names that begin with `q` first.'),
    isCutShort: z
      .boolean()
      .describe(
        'A search took too long and was ended: names that have `q` elsewhere than at their beginning may be missing.',
      ),
  })
  .meta({ id: 'BoardPage' });
export type BoardPage = z.infer<typeof boardPage>;

export const boardQuery = z.strictObject({
  period: boardPeriod.default('all'),
  page: z.coerce.number().int().min(1).max(1_000_000).default(1).describe('Of searches there is one page.'),
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('Rows of a page.'),
  q: lineOf(80).optional().describe('Part of a name; from three characters on anywhere in it.'),
});
export type BoardQuery = z.infer<typeof boardQuery>;

export const boardRowQuery = z.strictObject({ period: boardPeriod.default('all') });
export type BoardRowQuery = z.infer<typeof boardRowQuery>;

/** The most squares that a job's picture has; larger jobs put several units into each. */
export const SQUARES_MAX = 1024;

/** Every unit of a job, or a run of them, as one letter in the job's order. */
export const jobSquares = z
  .strictObject({
    squares: z
      .string()
      .regex(/^[ocrpvfx]*$/)
      .describe(
        'One letter for each square, in the order of the units. `o` open, `c` computing, `r` reported and waiting for another volunteer, `p` some of its units valid, `v` valid, `f` at least one failed, `x` cancelled.',
      ),
    unitsPerSquare: z.number().int().min(1).describe('The last square may stand for fewer.'),
    settledLately: z
      .number()
      .int()
      .describe('Units within `windowSeconds`: what an estimate of the remaining time rests on.'),
    windowSeconds: z.number().int().describe('The last so many seconds.'),
  })
  .meta({ id: 'JobSquares' });
export type JobSquares = z.infer<typeof jobSquares>;

export const jobHelper = z
  .strictObject({
    id: entityId.describe('Of the account.'),
    name: z.string(),
    validTasks: z.number().int().describe('Of this job.'),
    cycles: decimalString.describe('Those of these tasks.'),
  })
  .meta({ id: 'JobHelper' });

/** A public job with its picture and the accounts that helped most; also the data of each server-sent event. */
export const publicJobView = z
  .strictObject({
    job: publicJob,
    picture: jobSquares,
    helpers: z
      .array(jobHelper)
      .describe('The accounts with most valid tasks of it, up to 12, of its latest units where it has many.'),
    swarm: jobSwarm,
  })
  .meta({ id: 'PublicJobView' });
export type PublicJobView = z.infer<typeof publicJobView>;
