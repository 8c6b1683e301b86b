import type { Problem } from '@gleaner/protocol';

const TOO_MANY_REQUESTS = 429;
/** What a proxy answers for a coordinator that is away, and the coordinator when it is not ready. */
const AWAY_FROM = 502;
/** An address that cannot mean anything, what is somebody else's, what never was, and what is gone. */
const NOTHING_THERE: readonly number[] = [400, 403, 404, 410];
const SHORTEST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** An answer of the coordinator that says why not. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
    /** How long to wait before asking again, where the coordinator says so. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? `The coordinator answered ${status}.`);
  }
}

/** Nobody answered, or somebody else in the coordinator's place: the page of a hotel's network, for one. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  constructor(cause?: unknown) {
    super('The coordinator could not be reached. Try again in a moment.', { cause });
  }
}

/**
 * The error of an answer whose body has been read; `Retry-After` counts in seconds, as the coordinator writes it. The coordinator
 * refuses with a problem document. Without one somebody else does, in its place: a proxy, which finds "nothing" at every
 * address for as long as the coordinator is started anew.
 */
export function errorOf(
  body: unknown,
  { status, headers }: Pick<Response, 'status' | 'headers'>,
): ProblemError | NoAnswerError {
  // Also who stands before the coordinator may be asked too often.
  const problem = isProblem(body) ? body : status === TOO_MANY_REQUESTS ? {} : null;
  if (problem === null) return new NoAnswerError();
  const seconds = Number.parseInt(headers.get('retry-after') ?? '', 10);
  return new ProblemError(status, problem, Number.isNaN(seconds) ? null : seconds * 1000);
}

function isProblem(body: unknown): body is Partial<Problem> {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string';
}

/** Whether nobody answered who could know: worth asking again until somebody does. */
export function isAway(error: Error): boolean {
  return !(error instanceof ProblemError) || error.status >= AWAY_FROM;
}

/** Whether the coordinator has said that what was asked for is not there, or not for this visitor. */
export function isNotThere(error: Error | null): boolean {
  return error instanceof ProblemError && NOTHING_THERE.includes(error.status);
}

/** How long the coordinator wants to be left alone after too many requests; null for every other error. Milliseconds. */
export function askedToWaitMs(error: Error): number | null {
  if (!(error instanceof ProblemError) || error.status !== TOO_MANY_REQUESTS) return null;
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, error.retryAfterMs ?? LONGEST_WAIT_MS));
}

/** What was found; null where the coordinator says that there is nothing. Any other failure stays one. */
export async function foundOrNull<T>(asked: Promise<{ readonly data: T }>): Promise<T | null> {
  try {
    return (await asked).data;
  } catch (error) {
    if (error instanceof Error && isNotThere(error)) return null;
    throw error;
  }
}
