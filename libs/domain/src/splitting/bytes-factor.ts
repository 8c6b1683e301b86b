import type { BytesSplit } from '@gleaner/protocol';
import type { SplitFactor, SplitPoint } from './split-types.js';

/**
 * Windows over an input of `sizeBytes`; the last is the first that reaches the end. Placeholders `offset`, `length`,
 * `index`, in bytes.
 */
export function bytesFactor(split: BytesSplit, sizeBytes: number): SplitFactor {
  const stride = split.windowBytes - split.overlapBytes;
  const count = sizeBytes === 0 ? 0 : 1 + Math.max(0, Math.ceil((sizeBytes - split.windowBytes) / stride));
  return { name: split.name, input: split.input, count, points };

  async function* points(from: number): AsyncGenerator<SplitPoint> {
    for (let index = from; index < count; index += 1) {
      const offset = index * stride;
      const length = Math.min(split.windowBytes, sizeBytes - offset);
      yield { values: { offset, length, index }, window: { offset, length } };
    }
  }
}
