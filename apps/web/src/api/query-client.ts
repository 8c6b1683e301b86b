import { client } from '@gleaner/client';
import { QueryCache, QueryClient } from '@tanstack/react-query';
import { checkAnswer, fetchInTime } from './coordinator-answers';
import { askedToWaitMs, isAway, NoAnswerError, errorOf, ProblemError } from './problem-error';
import { reportReachable, reportUnreachable, reportWaiting } from './reachability';
import { noteServerTime } from './server-clock';
import { forgetSession } from './session';

const UNAUTHORISED = 401;
/** Hours of a coordinator that is away: a page that is left open goes on by itself. */
const RETRIES_MAX = 1000;

client.setConfig({ baseUrl: location.origin, throwOnError: true, fetch: fetchInTime });

client.interceptors.response.use((response, _request, { parseAs }) => {
  checkAnswer(response, parseAs);
  noteServerTime(response.headers.get('date'));
  return response;
});

// The generated client throws what was in the body; the status is what decides whether to try again.
client.interceptors.error.use((error, response) => {
  if (isAborted(error)) return error;
  // A good answer that cannot be read is somebody else's, or a half.
  if (!response || response.ok) return new NoAnswerError(error);
  const refusal = errorOf(error, response);
  if (refusal instanceof ProblemError && refusal.status === UNAUTHORISED) forgetSession();
  return refusal;
});

/** By the page itself, which has no use for the answer any more. */
function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Everything that the pages load; asks again for ever while the coordinator is away. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onSuccess: reportReachable,
    onError: (error) => {
      if (isAway(error)) reportUnreachable();
    },
  }),
  defaultOptions: {
    queries: {
      // What the browser calls offline may well reach a coordinator on this computer or in its network.
      networkMode: 'always',
      staleTime: 2_000,
      retry: (failures, error) => {
        const waitMs = askedToWaitMs(error);
        if (waitMs !== null) reportWaiting(waitMs);
        else if (isAway(error)) reportUnreachable();
        else return false;
        return failures < RETRIES_MAX;
      },
      retryDelay: (failures, error) => askedToWaitMs(error) ?? Math.min(10_000, 500 * 2 ** failures),
    },
    mutations: { networkMode: 'always' },
  },
});
