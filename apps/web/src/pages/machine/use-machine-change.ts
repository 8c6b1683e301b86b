import { updateHost, type UpdateHostInput } from '@gleaner/client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { machineQuery } from '../../api/people-queries';

/**
 * Changes the version of the machine that is shown; where another tab was faster, the newer one is shown and nothing is lost.
 * One change after the other: who goes through the choices with the arrow keys makes several before the first is answered.
 */
export function useMachineChange(accountId: string, hostId: string, etag: string) {
  const queryClient = useQueryClient();
  return useMutation({
    scope: { id: `machine ${hostId}` },
    mutationFn: (body: UpdateHostInput) => {
      const shown = queryClient.getQueryData(machineQuery(accountId, hostId).queryKey);
      const headers = { 'if-match': shown?.etag ?? etag };
      return updateHost({ path: { id: hostId }, headers, body, throwOnError: true });
    },
    onSettled: () => queryClient.invalidateQueries(machineQuery(accountId, hostId)),
  });
}
