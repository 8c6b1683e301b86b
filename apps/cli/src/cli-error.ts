/** Exit codes of the command; scripts depend on them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** The coordinator refused: the problem document is on stderr. */
  refused: 3,
  /** No coordinator answered. */
  unreachable: 5,
  /** The job ended, but not with an answer. */
  jobFailed: 6,
} as const;

/** Why a file could not be read or written, in the system's words. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether the system refused something (a file, a pipe, a disk): its message says what, and a stack would not help. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** A failure that is told in a sentence or two, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failure,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}
