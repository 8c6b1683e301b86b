import { asError } from './sentence-of.js';

/** Closes one part after the other although one may fail, as on a disk that is gone; resolves with the first failure. */
export async function closeAll(
  parts: ReadonlyArray<{ close(): Promise<void> } | undefined>,
): Promise<Error | null> {
  let failure: Error | null = null;
  for (const part of parts) {
    try {
      await part?.close();
    } catch (error) {
      failure ??= asError(error);
    }
  }
  return failure;
}
