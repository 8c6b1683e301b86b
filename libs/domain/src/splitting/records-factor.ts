import type { RecordsSplit } from '@gleaner/protocol';
import { evenCut } from './even-cut.js';
import { recordEnds } from './find-records.js';
import type { SplitFactor, SplitInputs, SplitPoint } from './split-types.js';

/**
 * Whole records of one input, read once from its start for every pass. Placeholders `offset`, `length`, `index`, in
 * bytes. The number of points is known only after a pass.
 */
export function recordsFactor(split: RecordsSplit, inputs: SplitInputs): SplitFactor {
  const sizeBytes = inputs.sizeBytes(split.input);
  return { name: split.name, input: split.input, count: sizeBytes === 0 ? 0 : null, points };

  async function* points(from: number, signal?: AbortSignal): AsyncGenerator<SplitPoint> {
    let index = 0;
    let offset = 0;
    for await (const end of unitEnds(split, sizeBytes, inputs, signal)) {
      const length = end - offset;
      if (index >= from) yield { values: { offset, length, index }, window: { offset, length } };
      index += 1;
      offset = end;
    }
  }
}

/** Offsets at which units end. */
function unitEnds(
  split: RecordsSplit,
  sizeBytes: number,
  inputs: SplitInputs,
  signal: AbortSignal | undefined,
): AsyncIterable<number> {
  const ends = recordEnds(inputs.read(split.input, 0, sizeBytes), split.delimiter, signal);
  if (split.records !== undefined) return everyNth(ends, split.records);
  if (split.maxBytes !== undefined) return beforeGrowingBeyond(ends, split.maxBytes);
  return evenly(ends, sizeBytes, split.units ?? 1);
}

async function* everyNth(ends: AsyncIterable<number>, records: number): AsyncGenerator<number> {
  let held = 0;
  let last = 0;
  for await (const end of ends) {
    held += 1;
    last = end;
    if (held < records) continue;
    held = 0;
    yield end;
  }
  if (held > 0) yield last;
}

async function* beforeGrowingBeyond(ends: AsyncIterable<number>, maxBytes: number): AsyncGenerator<number> {
  let start = 0;
  let last = 0;
  for await (const end of ends) {
    if (end - start > maxBytes && last > start) {
      yield last;
      start = last;
    }
    last = end;
  }
  if (last > start) yield last;
}

/** Cuts at the first record end at or after each of the even cuts; a long record swallows the cuts within it. */
async function* evenly(
  ends: AsyncIterable<number>,
  sizeBytes: number,
  units: number,
): AsyncGenerator<number> {
  let next = 1;
  for await (const end of ends) {
    if (end < evenCut(sizeBytes, units, next)) continue;
    yield end;
    while (next < units && evenCut(sizeBytes, units, next) <= end) next += 1;
  }
}
