/** Exit codes of the agent; scripts and services depend on them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notAttached: 3,
  alreadyRunning: 4,
  coordinatorUnreachable: 5,
  tokenRefused: 6,
} as const;

/** A failure that is told in one or two sentences, without a stack. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failure,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}
