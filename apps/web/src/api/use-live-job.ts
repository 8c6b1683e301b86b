import type { PublicJobView } from '@gleaner/client';
import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useEffect } from 'react';
import { jobQuery } from './queries';

/** A public job as it is now, and as it becomes: the coordinator's events replace what was loaded. */
export function useLiveJob(jobId: string): UseQueryResult<PublicJobView> {
  const queryClient = useQueryClient();
  const result = useQuery(jobQuery(jobId));
  const isOver = (result.data?.job.finishedAt ?? null) !== null;
  const isThere = result.data !== undefined;
  useEffect(() => {
    if (!isThere || isOver) return undefined;
    const events = new EventSource(`/v1/public/jobs/${encodeURIComponent(jobId)}/events`);
    events.addEventListener('job', ({ data }: MessageEvent<string>) => {
      // Written by the coordinator that served this page, from the same schema as the client.
      queryClient.setQueryData(jobQuery(jobId).queryKey, JSON.parse(data) as PublicJobView);
    });
    events.addEventListener('end', () => events.close());
    return () => events.close();
  }, [jobId, isThere, isOver, queryClient]);
  return result;
}
