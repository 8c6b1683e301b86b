import { z } from 'zod';
import { jobSpec } from './job-spec.js';
import { blobId, decimalString, entityId, isoInstant, pageOf, sha256Hex, slug } from './primitives.js';
import { jobState, outcome, trapKind, unitState } from './states.js';

export const submitJob = z.strictObject({ project: slug, spec: jobSpec }).meta({ id: 'SubmitJob' });
export type SubmitJob = z.infer<typeof submitJob>;

const count = z.number().int();

export const unitCounts = z
  .strictObject({
    total: count.describe('Made so far; more follow while the job is `splitting`.'),
    open: count.describe('Being computed, or still to be.'),
    awaitingOutput: count.describe('Agreed on, except that no volunteer has sent the outputs yet.'),
    valid: count.describe('Of which independent volunteers agreed on the result.'),
    failed: count.describe(
      'Without a result: too many errors or tasks, or volunteers agree that it cannot be computed.',
    ),
    cancelled: count,
    blocked: count.describe('Those of the open ones that cannot go on until another account comes.'),
  })
  .meta({ id: 'UnitCounts' });

/** How far a job is: what its scientist is told, and everybody who may see it. Fields of other schemas. */
export const jobProgress = {
  state: jobState,
  stateReason: z.string().nullable().describe('Why it is paused, failed or cancelled, or cannot go on yet.'),
  units: unitCounts,
  blockedReason: z
    .string()
    .nullable()
    .describe('What its blocked units wait for; where they wait for different things, what most do.'),
  progressPermille: count.describe(
    'Share of the units that volunteers have settled, 0 to 1000: cancelled ones are not done.',
  ),
  tasks: count.describe(
    'Tasks of settled units: what is still being computed or waits for its quorum is not among them.',
  ),
  validatedCycles: decimalString.describe('Cycles of the valid tasks of settled units.'),
};

export const job = z
  .strictObject({
    id: entityId,
    project: slug,
    accountId: entityId.describe(
      "Who submitted it: the project's other scientists look at it, and only its submitter and operators change it.",
    ),
    name: z.string(),
    app: z.string().describe('`NAME@VERSION`.'),
    ...jobProgress,
    output: z
      .strictObject({ blobId, sizeBytes: count })
      .nullable()
      .describe('The answer, once the job has completed.'),
    createdAt: isoInstant,
    finishedAt: isoInstant.nullable().describe('null until it has completed, failed or been cancelled.'),
    spec: jobSpec.describe('What was submitted, with the defaults of what was left out.'),
  })
  .meta({ id: 'Job' });
export type Job = z.infer<typeof job>;

export const jobEstimate = z
  .strictObject({
    units: count,
    tasksAtLeast: count.describe('Units × quorum: what is computed where all volunteers agree at once.'),
    inputBytes: count.describe('The inputs, each once.'),
    maxCycles: decimalString.describe(
      'Upper bound of cycles that volunteers can spend: tasksAtLeast × maxCycles of the limits.',
    ),
    meanCyclesPerUnit: decimalString
      .nullable()
      .describe(
        'Cycles a unit took so far in validated results of the same app version, null before the first.',
      ),
    warnings: z.array(z.string()).describe('What would be accepted, and is maybe not meant.'),
  })
  .meta({ id: 'JobEstimate' });
export type JobEstimate = z.infer<typeof jobEstimate>;

/** One unit and, once the job has ended or the unit has failed, its settled result. */
export const unitResult = z
  .strictObject({
    unitId: count,
    index: count.describe('Its place in the job, from 0.'),
    state: unitState,
    params: z.record(z.string(), z.unknown()).describe('What the splits gave it, by their names.'),
    outcome: outcome.nullable().describe('null until it is settled, or while the job runs.'),
    exitCode: count.nullable().describe('Where the outcome is `exit`.'),
    trapKind: trapKind.nullable().describe('Where the outcome is `trap`.'),
    cycles: decimalString.nullable().describe('WebAssembly instructions that it executed.'),
    digest: sha256Hex
      .nullable()
      .describe(
        'What volunteers agree on: SHA-256 of outcome, exit code, cycles and outputs, or of the kind of a trap.',
      ),
    stderr: z.string().nullable().describe('The end of it, for people: volunteers need not agree on it.'),
    blocked: z.string().nullable().describe('What an open unit cannot go on without.'),
    failure: z.string().nullable().describe('Why a failed unit failed.'),
  })
  .meta({ id: 'UnitResult' });
export type UnitResult = z.infer<typeof unitResult>;

export const jobPage = pageOf(job);
export const unitResultPage = pageOf(unitResult);
