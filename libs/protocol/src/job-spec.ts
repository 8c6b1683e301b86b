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

const splitName = identifier.describe('`{NAME.KEY}` in the arguments stands for its values.');
const cutInput = identifier.describe('The input of the job of which each unit sees a part.');

/** Integers from `from` (inclusive) to `to` (exclusive), cut by `step` or evenly into `units`. */
export const rangeSplit = z
  .strictObject({
    kind: z.literal('range'),
    name: splitName,
    from: safeInt.describe('The first integer.'),
    to: safeInt.describe('Where it ends; not among the integers.'),
    step: positiveInt.optional().describe('Integers of a unit; the last one may get fewer.'),
    units: positiveInt
      .max(LIMITS.unitsPerJob)
      .optional()
      .describe('Units of nearly equal size, no more than there are integers.'),
  })
  .refine((s) => (s.step === undefined) !== (s.units === undefined), {
    error: 'give exactly one of "step" and "units"',
    path: ['step'],
  })
  .meta({ id: 'RangeSplit' });

const gridValue = z.union([plainText(LIMITS.argBytes), z.number()], {
  error: `must be a number, or text of at most ${LIMITS.argBytes} characters without NUL`,
});

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
    name: splitName,
    lists: namedValues(gridList)
      .refine((lists) => Object.keys(lists).length >= 1 && Object.keys(lists).length <= LIMITS.splitsPerJob, {
        error: `give 1 to ${LIMITS.splitsPerJob} lists`,
      })
      .describe('A unit gets one combination of their values; the last list, by name, varies fastest.'),
  })
  .meta({ id: 'GridSplit' });

/** Windows of `windowBytes` over one input; each starts `windowBytes - overlapBytes` after the one before. */
export const bytesSplit = z
  .strictObject({
    kind: z.literal('bytes'),
    name: splitName,
    input: cutInput,
    windowBytes: positiveInt.describe('Bytes of a unit; the last one may get fewer.'),
    overlapBytes: safeInt.min(0).default(0).describe('Bytes that a window shares with the one before it.'),
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
    name: splitName,
    input: cutInput,
    delimiter: plainText(64)
      .min(1)
      .describe('A record ends after its last newline, or after all of it where it has none.'),
    records: positiveInt.optional().describe('Records of a unit; the last one may get fewer.'),
    maxBytes: positiveInt
      .optional()
      .describe('Bytes beyond which a unit takes no further record; a longer record stands alone.'),
    units: positiveInt
      .max(LIMITS.unitsPerJob)
      .optional()
      .describe('Units of nearly equal size; fewer where records are long.'),
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
    z.strictObject({
      kind: z.literal('concat').describe('Outputs in the order of the units, nothing between them.'),
    }),
    z.strictObject({
      kind: z.literal('lines').describe('All lines, sorted by fields and then by their bytes.'),
      sortBy: z
        .array(identifier)
        .max(16)
        .default([])
        .describe(
          'Fields of lines that are JSON objects, most significant first: absent ones, then numbers by value, then text by its bytes.',
        ),
      unique: z.boolean().default(false).describe('Drops repeated lines.'),
    }),
    z.strictObject({
      kind: z
        .literal('sum')
        .describe(
          'Units write lines of a key, a tab and an exact number; the answer has the sum of each key.',
        ),
    }),
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
    quorum: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.quorum)
      .default(2)
      .describe('Matching results of independent volunteers that settle a unit.'),
    maxErrors: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.tasksPerUnit)
      .default(6)
      .describe('Failed results after which the unit fails.'),
    maxTasks: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.tasksPerUnit)
      .default(10)
      .describe('Tasks after which the unit fails.'),
    distinct: z
      .enum(['account', 'host'])
      .default('account')
      .describe('`host` lets two machines of one account agree; only operators may ask for it.'),
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
      .default('100000000000')
      .describe('Instructions of one unit; beyond it the unit ends with `cycle-limit`.'),
    memoryMiB: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.memoryMiB)
      .default(64)
      .describe('Memory of one unit; volunteers who offer less do not get it.'),
    outputBytes: z
      .number()
      .int()
      .min(1)
      .max(LIMITS.unitOutputBytes)
      .default(1024 * 1024)
      .describe('All outputs of one unit together; beyond it the unit ends with `output-limit`.'),
  })
  .meta({ id: 'JobLimits' });
export type JobLimits = z.infer<typeof jobLimits>;

function characters(texts: readonly string[]): number {
  return texts.reduce((length, text) => length + text.length, 0);
}

/** What a scientist submits (DESIGN: job file). Unknown and later fields are refused, never ignored. */
export const jobSpec = z
  .strictObject({
    name: displayName.describe('What people see.'),
    app: appVersionRef.describe('`NAME@VERSION` of a published app.'),
    inputs: namedValues(blobId)
      .refine((inputs) => Object.keys(inputs).length <= LIMITS.inputsPerJob, {
        error: `at most ${LIMITS.inputsPerJob} inputs`,
      })
      .default({})
      .describe('Uploaded files that units see as `/input/NAME`, whole or the part that a split cuts of it.'),
    split: z
      .array(split)
      .min(1)
      .max(LIMITS.splitsPerJob)
      .describe('Every combination of these is a unit, the first varying slowest.'),
    args: z
      .array(plainText(LIMITS.argBytes))
      .max(LIMITS.argsPerJob)
      .refine((args) => characters(args) <= LIMITS.argsLength, {
        error: `at most ${LIMITS.argsLength} characters in all`,
      })
      .default([])
      .describe(
        'The app’s arguments; `{SPLIT.KEY}` is replaced for each unit, `{{SPLIT.KEY}}` is that text itself.',
      ),
    env: namedValues(plainText(LIMITS.argBytes))
      .refine((env) => Object.keys(env).length <= LIMITS.envPerJob, {
        error: `at most ${LIMITS.envPerJob} variables`,
      })
      .refine((env) => characters(Object.values(env)) <= LIMITS.argsLength, {
        error: `at most ${LIMITS.argsLength} characters in all`,
      })
      .default({})
      .describe('The app’s environment, the same for all units.'),
    outputs: z
      .array(identifier)
      .min(1)
      .max(LIMITS.outputsPerUnit)
      .default(['stdout'])
      .describe('`stdout` and names of files that the app writes to `/output`; nothing else is kept.'),
    limits: jobLimits.prefault({}).describe('What one unit may use.'),
    replication: replication.prefault({}).describe('How many volunteers compute a unit.'),
    taskDeadline: durationMs.default('PT6H').describe('How long one volunteer has, such as `PT6H`.'),
    share: z.number().int().min(1).max(1000).default(1).describe('Weight among running jobs.'),
    merge: merge.default({ kind: 'concat' }).describe('How the outputs of the units become the answer.'),
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
