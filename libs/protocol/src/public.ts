import { z } from 'zod';
import { jobProgress } from './jobs.js';
import { decimalString, entityId, isoInstant, lineOf, pageOf, slug } from './primitives.js';
import { jobSwarm } from './swarm.js';

/** What everybody may know of the whole installation. */
export const siteStats = z
  .strictObject({
    name: z.string(),
    at: isoInstant,
    totals: z.strictObject({
      /** Validated cycles, all time: the sum of all credit. */
      cycles: decimalString,
      tasks: z.number().int(),
      /** Accounts and hosts that were ever credited. */
      accounts: z.number().int(),
      hosts: z.number().int(),
      /** Bytes of inputs that volunteers had from each other instead of from the coordinator. */
      savedBytes: decimalString,
    }),
    now: z.strictObject({
      /** Hosts that hold a task. */
      hosts: z.number().int(),
      tasks: z.number().int(),
      runningJobs: z.number().int(),
      /** Mean over the last `windowSeconds`; of validated work only. */
      cyclesPerSecond: decimalString,
      validatedTasks: z.number().int(),
      windowSeconds: z.number().int(),
    }),
  })
  .meta({ id: 'SiteStats' });
export type SiteStats = z.infer<typeof siteStats>;

export const STATISTICS_GRAINS = ['hour', 'day'] as const;
/** Validated work of one hour or day of UTC. */
export const statisticsPoint = z
  .strictObject({
    startsAt: isoInstant,
    cycles: decimalString,
    tasks: z.number().int(),
    /** Units whose first credit was granted then. */
    units: z.number().int(),
    /** Hosts that were credited then. */
    hosts: z.number().int(),
    savedBytes: decimalString,
  })
  .meta({ id: 'StatisticsPoint' });
export type StatisticsPoint = z.infer<typeof statisticsPoint>;

export const statisticsHistory = z
  .strictObject({ grain: z.enum(STATISTICS_GRAINS), points: z.array(statisticsPoint) })
  .meta({ id: 'StatisticsHistory' });
export type StatisticsHistory = z.infer<typeof statisticsHistory>;

export const statisticsQuery = z.strictObject({
  grain: z.enum(STATISTICS_GRAINS).default('hour'),
  points: z.coerce.number().int().min(2).max(366).default(48),
});
export type StatisticsQuery = z.infer<typeof statisticsQuery>;

/** What a job's scientist shows to everybody; changing `public` alone leaves `results` as it is. */
export const jobVisibility = z
  .strictObject({
    /** The job's page and its place in lists. */
    public: z.boolean(),
    /** The merged answer, once the job has completed; of a public job only. */
    results: z.boolean().optional(),
  })
  .meta({ id: 'JobVisibility' });
export type JobVisibility = z.infer<typeof jobVisibility>;

/** A job as its page shows it: its progress, never its inputs, and its answer only where its scientist shows that too. */
export const publicJob = z
  .strictObject({
    id: entityId,
    name: z.string(),
    project: z.strictObject({ slug, name: z.string(), description: z.string() }),
    scientist: z.string(),
    app: z.string(),
    ...jobProgress,
    createdAt: isoInstant,
    finishedAt: isoInstant.nullable(),
    visibility: z.strictObject({ public: z.boolean(), results: z.boolean() }),
    /** The answer at `/v1/public/jobs/ID/output`; null before it is there, or where it is not shown to everybody. */
    output: z.strictObject({ sizeBytes: z.number().int() }).nullable(),
  })
  .meta({ id: 'PublicJob' });
export type PublicJob = z.infer<typeof publicJob>;
export const publicJobPage = pageOf(publicJob).meta({ id: 'PublicJobPage' });

export const BOARD_PERIODS = ['all', 'rac', 'day', 'week', 'month'] as const;
/** `rac`: recent average credit, half-life one week; days, weeks and months of UTC, weeks from Monday. */
export const boardPeriod = z.enum(BOARD_PERIODS).meta({ id: 'BoardPeriod' });
export type BoardPeriod = z.infer<typeof boardPeriod>;
export const boardKind = z.enum(['accounts', 'hosts', 'teams']).meta({ id: 'BoardKind' });
export type BoardKind = z.infer<typeof boardKind>;

export const boardRow = z
  .strictObject({
    /** null in the answer to a search for names that have earned nothing in the period. */
    rank: z.number().int().nullable(),
    id: entityId,
    name: z.string(),
    /** What the period is ranked by: cycles, or for `rac` cycles a day. */
    value: decimalString,
    /** Validated cycles of all time. */
    credit: decimalString,
    validTasks: z.number().int(),
  })
  .meta({ id: 'BoardRow' });
export type BoardRow = z.infer<typeof boardRow>;

export const boardPage = z
  .strictObject({
    period: boardPeriod,
    page: z.number().int(),
    /** Rows of the whole board; up to a minute old. */
    total: z.number().int(),
    items: z.array(boardRow),
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
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  /** Part of a name; from three characters on anywhere in it. */
  q: lineOf(80).optional(),
});
export type BoardQuery = z.infer<typeof boardQuery>;

export const boardRowQuery = z.strictObject({ period: boardPeriod.default('all') });
export type BoardRowQuery = z.infer<typeof boardRowQuery>;

/** The most squares that a job's picture has; larger jobs put several units into each. */
export const SQUARES_MAX = 1024;

/**
 * Every unit of a job, or a run of them, as one letter in the job's order. `o` open, `c` computing, `r` reported and waiting
 * for another volunteer, `p` some of its units valid, `v` valid, `f` at least one failed, `x` cancelled.
 */
export const jobSquares = z
  .strictObject({
    squares: z.string().regex(/^[ocrpvfx]*$/),
    unitsPerSquare: z.number().int().min(1),
    /** Units that were settled within the last `windowSeconds`: what an estimate of the remaining time rests on. */
    settledLately: z.number().int(),
    windowSeconds: z.number().int(),
  })
  .meta({ id: 'JobSquares' });
export type JobSquares = z.infer<typeof jobSquares>;

export const jobHelper = z
  .strictObject({ id: entityId, name: z.string(), validTasks: z.number().int(), cycles: decimalString })
  .meta({ id: 'JobHelper' });

/** A public job with its picture and the accounts that helped most; also the data of each server-sent event. */
export const publicJobView = z
  .strictObject({ job: publicJob, picture: jobSquares, helpers: z.array(jobHelper), swarm: jobSwarm })
  .meta({ id: 'PublicJobView' });
export type PublicJobView = z.infer<typeof publicJobView>;
