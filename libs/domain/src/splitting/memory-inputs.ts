import type { SplitInputs } from './split-types.js';

/**
 * Inputs held in memory, read in pieces of `pieceBytes`: for small local runs and tests.
 *
 * @throws {RangeError} for names that are not there
 */
export function memoryInputs(
  contents: Readonly<Record<string, Uint8Array>>,
  pieceBytes = 64 * 1024,
): SplitInputs {
  const contentOf = (input: string): Uint8Array => {
    const content = contents[input];
    if (!content) throw new RangeError(`no input is named ${JSON.stringify(input)}`);
    return content;
  };
  return {
    sizeBytes: (input) => contentOf(input).length,
    async *read(input, offset, length) {
      const content = contentOf(input).subarray(offset, offset + length);
      for (let at = 0; at < content.length; at += pieceBytes) yield content.subarray(at, at + pieceBytes);
    },
  };
}
