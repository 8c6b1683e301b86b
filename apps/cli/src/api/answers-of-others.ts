const NOT_IMPLEMENTED = 501;

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

/** Why no answer came, and what to do. */
export function toldOfSilence(url: string, method: string, error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const reason = cause instanceof Error ? cause.message : String(error);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const mayBeDone = method === 'GET' ? 'try again' : 'what was asked for may be done all the same';
  if (BROKEN_OFF.has(code)) return `${url} broke off before it answered (${reason}): ${mayBeDone}`;
  if (code === NOT_IN_TIME) return `${url} takes calls and did not answer in time: ${mayBeDone}`;
  return `No coordinator answers at ${url} (${reason}). Start one with "gleaner up", or name it with --url or GLEANER_URL.`;
}
