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
