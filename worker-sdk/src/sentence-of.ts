/** What went wrong, for the volunteer: the system's own words except where they need explaining. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return 'the disk is full';
  return error.message;
}

/** What was thrown, which may be anything. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
