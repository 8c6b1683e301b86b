/** Exit codes of the agent; scripts and services depend on them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notAttached: 3,
  alreadyRunning: 4,
  coordinatorUnreachable: 5,
  tokenRefused: 6,
  tooOld: 7,
} as const;

/** Ends that starting again would not change: somebody has to do something first. */
export const FINAL_EXITS: readonly number[] = [
  EXIT.usage,
  EXIT.notAttached,
  EXIT.alreadyRunning,
  EXIT.tokenRefused,
  EXIT.tooOld,
];

/** What a service manager is told: launchd and the Task Scheduler start again whatever did not end with 0. */
export function serviceExitCode(code: number, platform: NodeJS.Platform): number {
  const knowsCodes = platform === 'linux';
  return !knowsCodes && FINAL_EXITS.includes(code) ? EXIT.ok : code;
}

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
