import { useQueryClient } from '@tanstack/react-query';
import { auditQuery, inboxQuery, statusQuery } from '../../api/people-queries';

/** What is to be called after a decision: it shows in what waits, in how the server is, and in the log, wherever it was made. */
export function useDecided(accountId: string): () => Promise<unknown> {
  const queryClient = useQueryClient();
  return () =>
    Promise.all([
      queryClient.invalidateQueries(inboxQuery(accountId)),
      queryClient.invalidateQueries(auditQuery(accountId)),
      queryClient.invalidateQueries(statusQuery),
    ]);
}
