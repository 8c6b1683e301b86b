import { client } from '@gleaner/client';
import type { Problem } from '@gleaner/protocol';
import { QueryCache, QueryClient } from '@tanstack/react-query';
import { reportReachable, reportUnreachable } from './reachability';
import { noteServerTime } from './server-clock';
import { forgetSession } from './session';

const UNAUTHORISED = 401;

/** An answer of the coordinator that says why not. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
  ) {
    super(problem.detail ?? problem.title ?? `The coordinator answered ${status}.`);
  }
}

client.setConfig({ baseUrl: location.origin, throwOnError: true });

client.interceptors.response.use((response) => {
  noteServerTime(response.headers.get('date'));
  return response;
});

// The generated client throws what was in the body; the status is what decides whether to try again.
client.interceptors.error.use((error, response) => {
  if (!response) return error instanceof Error ? error : new TypeError('The coordinator does not answer.');
  if (response.status === UNAUTHORISED) forgetSession();
  return new ProblemError(response.status, typeof error === 'object' && error !== null ? error : {});
});

function isUnreachable(error: Error): boolean {
  return !(error instanceof ProblemError) || error.status >= 502;
}

/** Everything that the pages load; asks again for ever while the coordinator is away. */
export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onSuccess: reportReachable,
    onError: (error) => {
      if (isUnreachable(error)) reportUnreachable();
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (failures, error) => {
        if (!isUnreachable(error)) return false;
        reportUnreachable();
        return failures < 1000;
      },
      retryDelay: (failures) => Math.min(10_000, 500 * 2 ** failures),
    },
  },
});
