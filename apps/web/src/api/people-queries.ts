import {
  getHost,
  getHostTasks,
  getMyTeam,
  getOperatorInbox,
  getSession,
  getStatus,
  getTeam,
  listAuditEntries,
  listHosts,
  listTeamMembers,
  listTokens,
} from '@gleaner/client';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

const LIVE_MS = 3_000;
const SLOWLY_MS = 10_000;

/** Who has signed in with this browser, as the coordinator knows. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => (await getSession({ signal, throwOnError: true })).data,
  staleTime: 0,
});

export const myHostsQuery = (accountId: string | null) =>
  queryOptions({
    queryKey: ['me', accountId, 'hosts'],
    queryFn: async ({ signal }) =>
      (await listHosts({ query: { limit: 200 }, signal, throwOnError: true })).data,
    enabled: accountId !== null,
    refetchInterval: LIVE_MS,
  });

/** A machine with the version that a change has to name. */
export const machineQuery = (accountId: string | null, hostId: string) =>
  queryOptions({
    queryKey: ['me', accountId, 'host', hostId],
    queryFn: async ({ signal }) => {
      const { data, response } = await getHost({ path: { id: hostId }, signal, throwOnError: true });
      return { host: data, etag: response.headers.get('etag') ?? '' };
    },
    enabled: accountId !== null,
    refetchInterval: LIVE_MS,
  });

export const machineTasksQuery = (accountId: string | null, hostId: string) =>
  queryOptions({
    queryKey: ['me', accountId, 'host', hostId, 'tasks'],
    queryFn: async ({ signal }) =>
      (await getHostTasks({ path: { id: hostId }, signal, throwOnError: true })).data,
    enabled: accountId !== null,
    refetchInterval: LIVE_MS,
  });

export const myTeamQuery = (accountId: string | null) =>
  queryOptions({
    queryKey: ['me', accountId, 'team'],
    queryFn: async ({ signal }) => (await getMyTeam({ signal, throwOnError: true })).data.team,
    enabled: accountId !== null,
  });

export const myTokensQuery = (accountId: string | null) =>
  queryOptions({
    queryKey: ['me', accountId, 'tokens'],
    queryFn: async ({ signal }) =>
      (await listTokens({ query: { limit: 200 }, signal, throwOnError: true })).data.items,
    enabled: accountId !== null,
  });

export const teamQuery = (teamId: string) =>
  queryOptions({
    queryKey: ['team', teamId],
    queryFn: async ({ signal }) => {
      const { data, response } = await getTeam({ path: { id: teamId }, signal, throwOnError: true });
      return { team: data, etag: response.headers.get('etag') ?? '' };
    },
    refetchInterval: SLOWLY_MS,
  });

export const teamMembersQuery = (teamId: string) =>
  infiniteQueryOptions({
    queryKey: ['team', teamId, 'members'],
    queryFn: async ({ pageParam, signal }) =>
      (
        await listTeamMembers({
          path: { id: teamId },
          query: { limit: 50, ...(pageParam !== null && { cursor: pageParam }) },
          signal,
          throwOnError: true,
        })
      ).data,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });

export const statusQuery = queryOptions({
  queryKey: ['status'],
  queryFn: async ({ signal }) => (await getStatus({ signal, throwOnError: true })).data,
  refetchInterval: LIVE_MS,
});

export const inboxQuery = (accountId: string | null) =>
  queryOptions({
    queryKey: ['me', accountId, 'inbox'],
    queryFn: async ({ signal }) => (await getOperatorInbox({ signal, throwOnError: true })).data,
    enabled: accountId !== null,
    refetchInterval: SLOWLY_MS,
  });

export const auditQuery = (accountId: string | null) =>
  infiniteQueryOptions({
    queryKey: ['me', accountId, 'audit'],
    queryFn: async ({ pageParam, signal }) =>
      (
        await listAuditEntries({
          query: { limit: 20, ...(pageParam !== null && { cursor: pageParam }) },
          signal,
          throwOnError: true,
        })
      ).data,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    enabled: accountId !== null,
  });
