import type { RecordsSplit, Split } from '@gleaner/protocol';
import { recordEnds } from './find-records.js';
import { splitFactor } from './split-units.js';
import type { SplitInputs } from './split-types.js';

/** How much of an input is read to guess the length of its records. */
const SAMPLE_BYTES = 4 * 1024 * 1024;

export interface UnitEstimate {
  /** Units that the splits yield; 0 is always exact. */
  readonly units: number;
  /** False where it is projected from the first records of a large input. */
  readonly isExact: boolean;
  /** A large input in whose sample no record ends: its delimiter is most often another one. */
  readonly withoutRecordEnd?: string;
}

/**
 * How many units the splits yield, without making them: exact for ranges, grids and bytes, and for records of inputs up
 * to 4 MiB; projected from their first 4 MiB beyond.
 */
export async function estimateUnits(
  splits: readonly Split[],
  inputs: SplitInputs,
  signal?: AbortSignal,
): Promise<UnitEstimate> {
  let units = 1;
  let isExact = true;
  let withoutRecordEnd: string | undefined;
  for (const split of splits) {
    const factor = splitFactor(split, inputs);
    if (factor.count !== null || split.kind !== 'records') {
      units *= factor.count ?? 0;
      continue;
    }
    const sizeBytes = inputs.sizeBytes(split.input);
    if (sizeBytes <= SAMPLE_BYTES) {
      let count = 0;
      for await (const _ of factor.points(0, signal)) count += 1;
      units *= count;
    } else {
      const projected = await projectRecordUnits(split, sizeBytes, inputs, signal);
      units *= projected.units;
      isExact = false;
      if (!projected.hasRecordEnd) withoutRecordEnd ??= split.input;
    }
  }
  return { units, isExact, ...(withoutRecordEnd !== undefined && { withoutRecordEnd }) };
}

async function projectRecordUnits(
  split: RecordsSplit,
  sizeBytes: number,
  inputs: SplitInputs,
  signal: AbortSignal | undefined,
): Promise<{ units: number; hasRecordEnd: boolean }> {
  let records = 0;
  const sample = inputs.read(split.input, 0, SAMPLE_BYTES);
  for await (const _ of recordEnds(sample, split.delimiter, signal)) records += 1;
  const allRecords = Math.max(1, Math.round((records * sizeBytes) / SAMPLE_BYTES));
  // The sample's own end is taken for one.
  return { units: unitsOfRecords(split, sizeBytes, allRecords), hasRecordEnd: records > 1 };
}

function unitsOfRecords(split: RecordsSplit, sizeBytes: number, allRecords: number): number {
  if (split.records !== undefined) return Math.ceil(allRecords / split.records);
  if (split.units !== undefined) return Math.min(split.units, allRecords);
  const recordBytes = sizeBytes / allRecords;
  const recordsPerUnit = Math.max(1, Math.floor((split.maxBytes ?? sizeBytes) / recordBytes));
  return Math.ceil(allRecords / recordsPerUnit);
}
