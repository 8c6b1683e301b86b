import {
  getHost,
  getHostTasks,
  getMyTeam,
  getOperatorInbox,
  getSession,
  getStatus,
  getTeam,
  getWaitingDevice,
  listAuditEntries,
  listHosts,
  listTeamMembers,
  listTeams,
  listTokens,
} from '@gleaner/client';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

const LIVE_MS = 3_000;
const SLOWLY_MS = 10_000;
const HOSTS_AT_ONCE = 50;

/** Who has signed in with this browser, as the coordinator knows; asked anew once this page takes it to be somebody else. */
export const sessionQuery = (accountId: string | null) =>
  queryOptions({
    queryKey: ['me', accountId, 'session'],
    queryFn: async ({ signal }) => (await getSession({ signal, throwOnError: true })).data,
    staleTime: 0,
  });

export const myHostsQuery = (accountId: string | null) =>
  infiniteQueryOptions({
    queryKey: ['me', accountId, 'hosts'],
    queryFn: async ({ pageParam, signal }) =>
      (
        await listHosts({
          query: { limit: HOSTS_AT_ONCE, ...(pageParam !== null && { cursor: pageParam }) },
          signal,
          throwOnError: true,
        })
      ).data,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    enabled: accountId !== null,
    // Every page that is shown is asked for again: who looks at hundreds of machines sees them a little later.
    refetchInterval: ({ state }) => LIVE_MS * Math.max(1, state.data?.pages.length ?? 1),
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
    refetchInterval: SLOWLY_MS,
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

/** Newest first; with a part of a name only those that have it in theirs. */
export const teamsQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ['teams', q],
    queryFn: async ({ pageParam, signal }) =>
      (
        await listTeams({
          query: { limit: 20, ...(q !== '' && { q }), ...(pageParam !== null && { cursor: pageParam }) },
          signal,
          throwOnError: true,
        })
      ).data,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
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
    // As often as what the team has earned together, and the more pages are shown the later.
    refetchInterval: ({ state }) => SLOWLY_MS * Math.max(1, state.data?.pages.length ?? 1),
  });

/** What waits for approval with a code. */
export const waitingDeviceQuery = (accountId: string, userCode: string) =>
  queryOptions({
    queryKey: ['me', accountId, 'device', userCode],
    queryFn: async ({ signal }) =>
      (await getWaitingDevice({ path: { userCode }, signal, throwOnError: true })).data,
    enabled: userCode !== '',
    gcTime: 0,
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
