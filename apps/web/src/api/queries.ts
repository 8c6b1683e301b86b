import { getBoard, getMyAccount, getPublicJob, getStats, listHosts, listPublicJobs } from '@gleaner/client';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';

const LIVE_MS = 3_000;

export const statsQuery = queryOptions({
  queryKey: ['stats'],
  queryFn: async ({ signal }) => (await getStats({ signal, throwOnError: true })).data,
  refetchInterval: LIVE_MS,
});

export const runningJobsQuery = queryOptions({
  queryKey: ['jobs', 'running'],
  queryFn: async ({ signal }) =>
    (await listPublicJobs({ query: { running: 'true', limit: 6 }, signal, throwOnError: true })).data,
  refetchInterval: LIVE_MS,
});

export const jobsQuery = infiniteQueryOptions({
  queryKey: ['jobs', 'all'],
  queryFn: async ({ pageParam, signal }) =>
    (
      await listPublicJobs({
        query: { limit: 30, ...(pageParam !== null && { cursor: pageParam }) },
        signal,
        throwOnError: true,
      })
    ).data,
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.nextCursor,
});

export const jobQuery = (jobId: string) =>
  queryOptions({
    queryKey: ['job', jobId],
    queryFn: async ({ signal }) =>
      (await getPublicJob({ path: { id: jobId }, signal, throwOnError: true })).data,
  });

export type Board = 'accounts' | 'hosts';
export type Period = 'all' | 'rac' | 'day' | 'week' | 'month';

interface BoardView {
  readonly board: Board;
  readonly period: Period;
  readonly limit: number;
  /** From 1. */
  readonly page?: number;
  /** Part of a name. */
  readonly q?: string;
}

export const boardQuery = ({ board, ...query }: BoardView) =>
  queryOptions({
    queryKey: ['board', board, query],
    queryFn: async ({ signal }) =>
      (await getBoard({ path: { kind: board }, query, signal, throwOnError: true })).data,
    refetchInterval: LIVE_MS,
    placeholderData: keepPreviousData,
  });

/** Keyed by the token, so that nobody sees what another person loaded. */
export const myAccountQuery = (token: string | null) =>
  queryOptions({
    queryKey: ['me', token],
    queryFn: async ({ signal }) => (await getMyAccount({ signal, throwOnError: true })).data,
    enabled: token !== null,
  });

export const myHostsQuery = (token: string | null) =>
  queryOptions({
    queryKey: ['me', token, 'hosts'],
    queryFn: async ({ signal }) => (await listHosts({ signal, throwOnError: true })).data,
    enabled: token !== null,
    refetchInterval: LIVE_MS,
  });
