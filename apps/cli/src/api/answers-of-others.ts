import { CliError, EXIT } from '../cli-error.js';

const NOT_IMPLEMENTED = 501;
/** Of proxies to which the coordinator's answer did not come. */
const LOST_BEHIND_PROXY: ReadonlySet<number> = new Set([502, 504]);

/** Nobody says what has become of a call, which may have been done. */
export class LostAnswerError extends CliError {}

/** An answer that is no problem document, as the coordinator refuses with. */
export function anothersAnswer(url: URL, status: number): CliError {
  const told = answeredByAnother(url, status);
  return LOST_BEHIND_PROXY.has(status)
    ? new LostAnswerError(told, EXIT.unreachable)
    : new CliError(told, EXIT.unreachable);
}

/** What an answer means that is no problem document, as the coordinator refuses with, and what to do. */
export function answeredByAnother(url: URL, status: number): string {
  const answered = `${url.origin} answered ${status}`;
  if (status >= 500 && status !== NOT_IMPLEMENTED) {
    return `${answered}, as a proxy does whose coordinator is away: try again later, or ask whoever runs it`;
  }
  switch (status) {
    case 401:
    case 403:
      return `${answered}, as a proxy does that lets only some through: ask whoever runs the coordinator, or look whether --url or GLEANER_URL names one`;
    case 413:
      return `${answered}, as a proxy does that lets nothing so large through: ask whoever runs the coordinator to have it take more`;
    case 429:
      return `${answered}, as a proxy does that is called too often: try again later`;
    default:
      return `${url.href} answered ${status} and is no Gleaner coordinator: look whether --url or GLEANER_URL names one`;
  }
}

/** Of connections that were there, over which the call may have gone. */
const BROKEN_OFF: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
const NOT_IN_TIME = 'UND_ERR_HEADERS_TIMEOUT';

/** That no answer came, why, and what to do. */
export function silence(url: string, method: string, cause: unknown): CliError {
  const inner: unknown = cause instanceof Error ? cause.cause : undefined;
  const reason = inner instanceof Error ? inner.message : String(cause);
  const code = inner instanceof Error && 'code' in inner ? inner.code : undefined;
  const mayBeDone = method === 'GET' ? 'try again' : 'what was asked for may be done all the same';
  if (BROKEN_OFF.has(code)) {
    const told = `${url} broke off before it answered (${reason}): ${mayBeDone}`;
    return new LostAnswerError(told, EXIT.unreachable, { cause });
  }
  if (code === NOT_IN_TIME) {
    const told = `${url} takes calls and did not answer in time: ${mayBeDone}`;
    return new LostAnswerError(told, EXIT.unreachable, { cause });
  }
  return new CliError(
    `No coordinator answers at ${url} (${reason}). Start one with "gleaner up", or name it with --url or GLEANER_URL.`,
    EXIT.unreachable,
    { cause },
  );
}
