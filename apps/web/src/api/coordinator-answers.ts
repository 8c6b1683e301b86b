import { NoAnswerError } from './problem-error';

/** Far longer than a coordinator takes, and about as long as anybody looks at a page on which nothing comes. */
const ANSWER_WITHIN_MS = 30_000;
const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/;
const PAGE_TYPE = /^text\/html\b/;

/**
 * `fetch`, for as long as an answer may take to begin: browsers wait for ever on a line on which nothing comes through. How
 * long it takes from there on is a matter of its size, and of what it is: events never end.
 */
export async function fetchInTime(asked: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(asked, init);
  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(new NoAnswerError()), ANSWER_WITHIN_MS);
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, waiting.signal]) });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether the coordinator can have answered this. The client would take anything with a good status for what was asked for,
 * by its type: also the page with which a hotel's network answers whoever has not signed in there.
 *
 * @param parseAs what the client makes of it; `auto` goes for all that is JSON
 * @throws {NoAnswerError}
 */
export function checkAnswer(
  { status, ok, headers }: Pick<Response, 'status' | 'ok' | 'headers'>,
  parseAs: string | undefined,
): void {
  const type = headers.get('content-type') ?? '';
  // 202 and 204 say nothing but that.
  const hasJson = parseAs === 'auto' && (status === 200 || status === 201);
  if (
    ok &&
    (hasJson ? !JSON_TYPE.test(type) || headers.get('content-length') === '0' : PAGE_TYPE.test(type))
  ) {
    throw new NoAnswerError();
  }
}
