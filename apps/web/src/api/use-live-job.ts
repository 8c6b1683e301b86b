import { followPublicJob, type PublicJobView } from '@gleaner/client';
import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';
import { followEvents } from './follow-events';
import { isNotThere } from './problem-error';
import { jobQuery } from './queries';

/** A public job as it is now, and as it becomes: the coordinator's events replace what was loaded. */
export function useLiveJob(jobId: string): UseQueryResult<PublicJobView> {
  const queryClient = useQueryClient();
  const result = useQuery(jobQuery(jobId));
  const isOver = (result.data?.job.finishedAt ?? null) !== null;
  const isThere = result.data !== undefined && !isNotThere(result.error);
  // A browser has six connections to a site on plain http: a seventh tab would wait for ever if hidden ones kept theirs.
  const isVisible = useIsVisible();
  useEffect(() => {
    if (!isThere || isOver || !isVisible) return undefined;
    const { queryKey } = jobQuery(jobId);
    return followEvents<PublicJobView>({
      open: (options) => followPublicJob({ path: { id: jobId }, ...options }),
      onEvent: (view) => void queryClient.setQueryData(queryKey, view),
      // Says that the coordinator is away where it is, and shows what the events would have told.
      onBroken: () => void queryClient.refetchQueries({ queryKey }, { cancelRefetch: false }),
    });
  }, [jobId, isThere, isOver, isVisible, queryClient]);
  return result;
}

function useIsVisible(): boolean {
  return useSyncExternalStore(
    (listener) => {
      document.addEventListener('visibilitychange', listener);
      return () => document.removeEventListener('visibilitychange', listener);
    },
    () => !document.hidden,
  );
}
