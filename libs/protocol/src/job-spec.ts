import { z } from 'zod';
import { LIMITS } from './limits.js';
import {
  appVersionRef,
  blobId,
  decimalString,
  displayName,
  identifier,
  isPlain,
  namedValues,
  plainText,
} from './primitives.js';

const safeInt = z.number().int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const positiveInt = safeInt.min(1);

/** Integers from `from` (inclusive) to `to` (exclusive), cut by `step` or evenly into `units`. */
export const rangeSplit = z
  .strictObject({
    kind: z.literal('range'),
    name: identifier,
    from: safeInt,
    to: safeInt,
    step: positiveInt.optional(),
    units: positiveInt.max(LIMITS.unitsPerJob).optional(),
  })
  .refine((s) => (s.step === undefined) !== (s.units === undefined), {
    error: 'give exactly one of "step" and "units"',
    path: ['step'],
  })
  .meta({ id: 'RangeSplit' });

const gridValue = z.union([plainText(LIMITS.argBytes), z.number()]);

/** The first wrong value is enough to say: zod would keep issues of a hundred thousand, which takes seconds. */
const gridList = z.preprocess((list, context) => {
  const at = Array.isArray(list) ? list.findIndex((value) => !isGridValue(value)) : -1;
  if (!Array.isArray(list) || at < 0) return list;
  const issues = gridValue.safeParse(list[at]).error?.issues ?? [];
  for (const issue of issues) context.addIssue({ ...issue, path: [at, ...issue.path] });
  return z.NEVER;
}, z.array(gridValue).min(1).max(LIMITS.gridValuesPerList));

/** What {@link gridValue} takes, found out cheaply. */
function isGridValue(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' && value.length <= LIMITS.argBytes && isPlain(value);
}

/** Every combination of the named lists, in byte order of their names, the last list varying fastest. */
export const gridSplit = z
  .strictObject({
    kind: z.literal('grid'),
    name: identifier,
    lists: namedValues(gridList).refine(
      (lists) => Object.keys(lists).length >= 1 && Object.keys(lists).length <= LIMITS.splitsPerJob,
      {
        error: `give 1 to ${LIMITS.splitsPerJob} lists`,
      },
    ),
  })
  .meta({ id: 'GridSplit' });

/** Windows of `windowBytes` over one input; each starts `windowBytes - overlapBytes` after the one before. */
export const bytesSplit = z
  .strictObject({
    kind: z.literal('bytes'),
    name: identifier,
    input: identifier,
    windowBytes: positiveInt,
    overlapBytes: safeInt.min(0).default(0),
  })
  .refine((s) => s.overlapBytes < s.windowBytes, {
    error: 'must be smaller than windowBytes',
    path: ['overlapBytes'],
  })
  .meta({ id: 'BytesSplit' });

/**
 * Whole records of one input. A record ends after the last newline of the delimiter (after the whole delimiter where it
 * has none), so that with `\n>` every window starts with `>`. Give one of `records` (per unit), `maxBytes` (a unit
 * closes before it would grow beyond; a longer record stands alone) and `units` (evenly by bytes).
 */
export const recordsSplit = z
  .strictObject({
    kind: z.literal('records'),
    name: identifier,
    input: identifier,
    delimiter: plainText(64).min(1),
    records: positiveInt.optional(),
    maxBytes: positiveInt.optional(),
    units: positiveInt.max(LIMITS.unitsPerJob).optional(),
  })
  .refine((s) => [s.records, s.maxBytes, s.units].filter((v) => v !== undefined).length === 1, {
    error: 'give exactly one of "records", "maxBytes" and "units"',
    path: ['records'],
  })
  .meta({ id: 'RecordsSplit' });

export const split = z
  .discriminatedUnion('kind', [rangeSplit, gridSplit, bytesSplit, recordsSplit])
  .meta({ id: 'Split' });
export type Split = z.infer<typeof split>;
export type RangeSplit = z.infer<typeof rangeSplit>;
export type GridSplit = z.infer<typeof gridSplit>;
export type BytesSplit = z.infer<typeof bytesSplit>;
export type RecordsSplit = z.infer<typeof recordsSplit>;

/** How the canonical results of all units become the job's answer; independent of how the job was split. */
export const merge = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('concat') }),
    z.strictObject({
      kind: z.literal('lines'),
      /** Fields of a JSON line, most significant first; numeric where both are numbers, else bytewise UTF-8. */
      sortBy: z.array(identifier).max(16).default([]),
      unique: z.boolean().default(false),
    }),
    z.strictObject({ kind: z.literal('sum') }),
  ])
  .meta({ id: 'Merge' });
export type Merge = z.infer<typeof merge>;

/** ISO 8601 duration of days, hours, minutes and seconds, such as `PT6H` or `P1DT12H`. */
export const durationMs = z
  .string()
  .regex(
    /^P(?=\d|T\d)(?:\d{1,3}D)?(?:T(?=\d)(?:\d{1,5}H)?(?:\d{1,6}M)?(?:\d{1,8}S)?)?$/,
    // Without abort the refinement below would be asked about text that is no duration.
    { error: 'must be an ISO 8601 duration such as PT6H', abort: true },
  )
  .refine((text) => parseDurationMs(text) >= 10_000 && parseDurationMs(text) <= LIMITS.taskDeadlineMs, {
    error: 'must be between PT10S and P30D',
  });

/** Milliseconds of an ISO 8601 duration that passed {@link durationMs}. */
export function parseDurationMs(text: string): number {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!match) throw new TypeError(`not a duration: ${text}`);
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
}

export const replication = z
  .strictObject({
    /** Matching results of independent volunteers that make a unit valid. */
    quorum: z.number().int().min(1).max(LIMITS.quorum).default(2),
    /** Failed results after which the unit fails. */
    maxErrors: z.number().int().min(1).max(LIMITS.tasksPerUnit).default(6),
    /** Tasks after which the unit fails. */
    maxTasks: z.number().int().min(1).max(LIMITS.tasksPerUnit).default(10),
    /** `host` lets two machines of one account agree; only with the operator's permission. */
    distinct: z.enum(['account', 'host']).default('account'),
  })
  .refine((r) => r.maxTasks >= r.quorum, { error: 'must be at least quorum', path: ['maxTasks'] })
  .meta({ id: 'Replication' });
export type Replication = z.infer<typeof replication>;

export const jobLimits = z
  .strictObject({
    maxCycles: decimalString
      .refine((text) => BigInt(text) >= 1n && BigInt(text) <= LIMITS.maxCycles, {
        error: `must be between 1 and ${LIMITS.maxCycles}`,
      })
      .default('100000000000'),
    memoryMiB: z.number().int().min(1).max(LIMITS.memoryMiB).default(64),
    outputBytes: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.unitOutputBytes)
      .default(1024 * 1024),
  })
  .meta({ id: 'JobLimits' });
export type JobLimits = z.infer<typeof jobLimits>;

function characters(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0);
}

/** What a scientist submits (DESIGN: job file). Unknown and later fields are refused, never ignored. */
export const jobSpec = z
  .strictObject({
    name: displayName,
    app: appVersionRef,
    inputs: namedValues(blobId)
      .refine((inputs) => Object.keys(inputs).length <= LIMITS.inputsPerJob, {
        error: `at most ${LIMITS.inputsPerJob} inputs`,
      })
      .default({}),
    split: z.array(split).min(1).max(LIMITS.splitsPerJob),
    args: z
      .array(plainText(LIMITS.argBytes))
      .max(LIMITS.argsPerJob)
      .refine((args) => characters(args) <= LIMITS.argsLength, {
        error: `at most ${LIMITS.argsLength} characters in all`,
      })
      .default([]),
    env: namedValues(plainText(LIMITS.argBytes))
      .refine((env) => Object.keys(env).length <= LIMITS.envPerJob, {
        error: `at most ${LIMITS.envPerJob} variables`,
      })
      .refine((env) => characters(Object.values(env)) <= LIMITS.argsLength, {
        error: `at most ${LIMITS.argsLength} characters in all`,
      })
      .default({}),
    /** `stdout` and names of files that the app writes to /output. */
    outputs: z.array(identifier).min(1).max(LIMITS.outputsPerUnit).default(['stdout']),
    limits: jobLimits.prefault({}),
    replication: replication.prefault({}),
    taskDeadline: durationMs.default('PT6H'),
    /** Weight in the fair share among running jobs. */
    share: z.number().int().min(1).max(1000).default(1),
    merge: merge.default({ kind: 'concat' }),
  })
  .meta({ id: 'JobSpec' });
export type JobSpec = z.infer<typeof jobSpec>;
export type JobSpecInput = z.input<typeof jobSpec>;

/** Values of one split for one unit: `{chirp: {from: 560, to: 600}}` fills `{chirp.from}` in the arguments. */
export const unitParams = z.record(identifier, z.record(identifier, z.union([z.string(), z.number()])));
export type UnitParams = z.infer<typeof unitParams>;

/** The part of one input that a unit sees as `/input/NAME`. Offsets and lengths in bytes. */
export const inputWindow = z.strictObject({ offset: safeInt.min(0), length: safeInt.min(0) });
export const unitWindows = z.record(identifier, inputWindow);
export type InputWindow = z.infer<typeof inputWindow>;
export type UnitWindows = z.infer<typeof unitWindows>;
