import { updateHost, type UpdateHostInput } from '@gleaner/client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { machineQuery } from '../../api/people-queries';

/** Changes the version of the machine that is shown; where another tab was faster, the newer one is shown and nothing is lost. */
export function useMachineChange(accountId: string, hostId: string, etag: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: UpdateHostInput) =>
      updateHost({ path: { id: hostId }, headers: { 'if-match': etag }, body, throwOnError: true }),
    onSettled: () => queryClient.invalidateQueries(machineQuery(accountId, hostId)),
  });
}
