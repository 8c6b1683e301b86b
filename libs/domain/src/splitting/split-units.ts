import type { Split, UnitParams, UnitWindows } from '@gleaner/protocol';
import { bytesFactor } from './bytes-factor.js';
import { gridFactor } from './grid-factor.js';
import { rangeFactor } from './range-factor.js';
import { recordsFactor } from './records-factor.js';
import { replayed } from './replayed-factor.js';
import type { SplitFactor, SplitInputs, SplitPoint, UnitToCreate } from './split-types.js';

export interface SplitOptions {
  /** Index of the first unit to yield: where an interrupted split goes on. */
  readonly from?: number;
  /** Ends it between pieces of input and between units. */
  readonly signal?: AbortSignal;
}

/**
 * A job's work units in order, one at a time and in constant memory: every combination of the splits' points, the first
 * split varying slowest. The same splits and inputs give the same units, from any index.
 *
 * @throws {RangeError} for a range of more than 2^53 integers
 * @throws what `inputs.read` throws, and the signal's reason
 */
export async function* splitUnits(
  splits: readonly Split[],
  inputs: SplitInputs,
  options: SplitOptions = {},
): AsyncGenerator<UnitToCreate> {
  const { from = 0, signal } = options;
  // The first split is passed through once; the others once for every point before them.
  const factors = splits.map((split, at) =>
    at === 0 ? splitFactor(split, inputs) : replayed(splitFactor(split, inputs)),
  );
  let index = from;
  for await (const points of combinations(factors, from, signal)) {
    signal?.throwIfAborted();
    yield { index, ...unitOf(factors, points) };
    index += 1;
  }
}

/** One split made ready to run. */
export function splitFactor(split: Split, inputs: SplitInputs): SplitFactor {
  switch (split.kind) {
    case 'range':
      return rangeFactor(split);
    case 'grid':
      return gridFactor(split);
    case 'bytes':
      return bytesFactor(split, inputs.sizeBytes(split.input));
    case 'records':
      return recordsFactor(split, inputs);
  }
}

async function* combinations(
  factors: readonly SplitFactor[],
  from: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly SplitPoint[]> {
  const [outer, ...inner] = factors;
  if (!outer) return;
  if (inner.length === 0) {
    for await (const point of outer.points(from, signal)) yield [point];
    return;
  }
  const innerCount = from === 0 ? 0 : await countCombinations(inner, signal);
  let skip = innerCount === 0 ? 0 : from % innerCount;
  const firstOuter = innerCount === 0 ? 0 : Math.floor(from / innerCount);
  for await (const point of outer.points(firstOuter, signal)) {
    for await (const rest of combinations(inner, skip, signal)) yield [point, ...rest];
    skip = 0;
  }
}

async function countCombinations(factors: readonly SplitFactor[], signal?: AbortSignal): Promise<number> {
  let product = 1;
  for (const factor of factors) product *= factor.count ?? (await countPoints(factor, signal));
  return product;
}

async function countPoints(factor: SplitFactor, signal?: AbortSignal): Promise<number> {
  let count = 0;
  for await (const _ of factor.points(0, signal)) count += 1;
  return count;
}

function unitOf(
  factors: readonly SplitFactor[],
  points: readonly SplitPoint[],
): { params: UnitParams; windows: UnitWindows } {
  const params: UnitParams = {};
  const windows: UnitWindows = {};
  for (const [at, point] of points.entries()) {
    const factor = factors[at];
    if (!factor) continue;
    params[factor.name] = point.values;
    if (factor.input !== null && point.window) windows[factor.input] = point.window;
  }
  return { params, windows };
}
