import { z } from 'zod';
import { jobSpec } from './job-spec.js';
import { blobId, decimalString, entityId, isoInstant, pageOf, sha256Hex, slug } from './primitives.js';
import { jobState, outcome, trapKind, unitState } from './states.js';

export const submitJob = z.strictObject({ project: slug, spec: jobSpec }).meta({ id: 'SubmitJob' });
export type SubmitJob = z.infer<typeof submitJob>;

export const unitCounts = z
  .strictObject({
    total: z.number().int(),
    open: z.number().int(),
    awaitingOutput: z.number().int(),
    valid: z.number().int(),
    failed: z.number().int(),
    cancelled: z.number().int(),
    /** Open units that cannot go on until another account comes. */
    blocked: z.number().int(),
  })
  .meta({ id: 'UnitCounts' });

/** How far a job is: what its scientist is told, and everybody who may see it. Fields of other schemas. */
export const jobProgress = {
  state: jobState,
  /** Why it is paused, failed or cancelled, or cannot go on yet. */
  stateReason: z.string().nullable(),
  units: unitCounts,
  /** What its blocked units wait for; where they wait for different things, what most do. */
  blockedReason: z.string().nullable(),
  /** Share of the units that volunteers have settled, 0 to 1000: cancelled ones are not done. */
  progressPermille: z.number().int(),
  /** Tasks of settled units: what is still being computed or waits for its quorum is not among them. */
  tasks: z.number().int(),
  /** Cycles of the valid tasks of settled units. */
  validatedCycles: decimalString,
};

export const job = z
  .strictObject({
    id: entityId,
    project: slug,
    /** Who submitted it: the project's other scientists look at it, and only its submitter and operators change it. */
    accountId: entityId,
    name: z.string(),
    app: z.string(),
    ...jobProgress,
    output: z.strictObject({ blobId, sizeBytes: z.number().int() }).nullable(),
    createdAt: isoInstant,
    finishedAt: isoInstant.nullable(),
    spec: jobSpec,
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof job>;

export const jobEstimate = z
  .strictObject({
    units: z.number().int(),
    tasksAtLeast: z.number().int(),
    inputBytes: z.number().int(),
    /** Upper bound of cycles that volunteers can spend: tasksAtLeast × maxCycles. */
    maxCycles: decimalString,
    /** Cycles a unit took so far in validated results of the same app version, null before the first. */
    meanCyclesPerUnit: decimalString.nullable(),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'JobEstimate' });
export type JobEstimate = z.infer<typeof jobEstimate>;

/** One unit and, once the job has ended or the unit has failed, its settled result. */
export const unitResult = z
  .strictObject({
    unitId: z.number().int(),
    index: z.number().int(),
    state: unitState,
    params: z.record(z.string(), z.unknown()),
    outcome: outcome.nullable(),
    /** Where the outcome is `exit`. */
    exitCode: z.number().int().nullable(),
    /** Where the outcome is `trap`. */
    trapKind: trapKind.nullable(),
    cycles: decimalString.nullable(),
    digest: sha256Hex.nullable(),
    stderr: z.string().nullable(),
    /** What an open unit cannot go on without. */
    blocked: z.string().nullable(),
    /** Why a failed unit failed. */
    failure: z.string().nullable(),
  })
  .meta({ id: 'UnitResult' });
export type UnitResult = z.infer<typeof unitResult>;

export const jobPage = pageOf(job);
export const unitResultPage = pageOf(unitResult);
