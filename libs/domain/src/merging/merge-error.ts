/** A unit's output that cannot be merged. The message says which unit and line, and why. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
  readonly code = 'merge-refused';

  constructor(readonly data: { readonly unitIndex: number; readonly line: number; readonly reason: string }) {
    super(`unit ${data.unitIndex}, line ${data.line}: ${data.reason}`);
  }
}

/** Why one line cannot be merged, before it is known where it stands. */
export class LineRefusedError extends Error {
  override readonly name = 'LineRefusedError';
}
