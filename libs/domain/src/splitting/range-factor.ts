import type { RangeSplit } from '@gleaner/protocol';
import { evenCut } from './even-cut.js';
import type { SplitFactor, SplitPoint } from './split-types.js';

/**
 * Integers from `from` (inclusive) to `to` (exclusive): pieces of `step`, the last one shorter, or `units` nearly equal
 * ones, never an empty one. Placeholders `from`, `to`, `index`.
 *
 * @throws {RangeError} when `to - from` is not a safe integer
 */
export function rangeFactor(split: RangeSplit): SplitFactor {
  const span = Math.max(0, split.to - split.from);
  if (!Number.isSafeInteger(span)) throw new RangeError(`range ${split.name} spans more than 2^53 integers`);
  const count = split.step === undefined ? Math.min(split.units ?? 1, span) : Math.ceil(span / split.step);
  const cut = (index: number): number =>
    split.step === undefined ? evenCut(span, count, index) : Math.min(span, index * split.step);
  return { name: split.name, input: null, count, points };

  async function* points(from: number): AsyncGenerator<SplitPoint> {
    for (let index = from; index < count; index += 1) {
      const values = { from: split.from + cut(index), to: split.from + cut(index + 1), index };
      yield { values, window: null };
    }
  }
}
