import {
  getBlob,
  getBoard,
  getBoardRow,
  getJob,
  getMyAccount,
  getPublicJob,
  getStatisticsHistory,
  getStats,
  listPublicJobs,
  listResults,
} from '@gleaner/client';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { foundOrNull } from './problem-error';

const LIVE_MS = 3_000;
/** With the coordinator's second this stays below the two in which credit is to be on the page. */
const BOARD_MS = 750;
/** What changes by the minute rather than by the second. */
const SLOWLY_MS = 10_000;

export const statsQuery = queryOptions({
  queryKey: ['stats'],
  queryFn: async ({ signal }) => (await getStats({ signal, throwOnError: true })).data,
  refetchInterval: LIVE_MS,
});

export type Grain = 'hour' | 'day';
/** Two days of hours, three months of days. */
const HISTORY_POINTS: Readonly<Record<Grain, number>> = { hour: 48, day: 90 };
const HISTORY_MS = 15_000;

export const historyQuery = (grain: Grain) =>
  queryOptions({
    queryKey: ['stats', 'history', grain],
    queryFn: async ({ signal }) =>
      (
        await getStatisticsHistory({
          query: { grain, points: HISTORY_POINTS[grain] },
          signal,
          throwOnError: true,
        })
      ).data,
    refetchInterval: HISTORY_MS,
    placeholderData: keepPreviousData,
  });

export const runningJobsQuery = queryOptions({
  queryKey: ['jobs', 'running'],
  queryFn: async ({ signal }) =>
    (await listPublicJobs({ query: { running: 'true', limit: 6 }, signal, throwOnError: true })).data,
  refetchInterval: SLOWLY_MS,
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
  // Every page that is shown is asked for again.
  refetchInterval: ({ state }) => SLOWLY_MS * Math.max(1, state.data?.pages.length ?? 1),
});

export const jobQuery = (jobId: string) =>
  queryOptions({
    queryKey: ['job', jobId],
    queryFn: async ({ signal }) =>
      (await getPublicJob({ path: { id: jobId }, signal, throwOnError: true })).data,
  });

/** The job as its scientists see it: null for everybody else. */
export const ownJobQuery = (jobId: string, accountId: string | null, isOver: boolean) =>
  queryOptions({
    queryKey: ['me', accountId, 'job', jobId, isOver],
    queryFn: ({ signal }) => foundOrNull(getJob({ path: { id: jobId }, signal, throwOnError: true })),
    enabled: accountId !== null,
    // Whose it is does not change while one looks.
    refetchInterval: ({ state }) => (isOver || state.data === null ? false : LIVE_MS),
  });

/** Failed units of one's own job with what their programs said: asked for anew when there are more. */
export const failuresQuery = (jobId: string, accountId: string | null, failedUnits: number) =>
  infiniteQueryOptions({
    queryKey: ['me', accountId, 'job', jobId, 'failures', failedUnits],
    queryFn: async ({ pageParam, signal }) =>
      (
        await listResults({
          path: { id: jobId },
          query: { state: 'failed', limit: 20, ...(pageParam !== null && { cursor: pageParam }) },
          signal,
          throwOnError: true,
        })
      ).data,
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    // What is open to be read stays open; only never another job's.
    placeholderData: (pages, previous) => (previous?.queryKey[3] === jobId ? pages : undefined),
  });

export const blobQuery = (blobId: string) =>
  queryOptions({
    queryKey: ['blob', blobId],
    queryFn: async ({ signal }) => (await getBlob({ path: { blobId }, signal, throwOnError: true })).data,
    staleTime: Number.POSITIVE_INFINITY,
  });

export type Board = 'accounts' | 'teams' | 'hosts';
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
    refetchInterval: BOARD_MS,
    placeholderData: keepPreviousData,
  });

/** One's own place on a board; null where there is none yet. */
export const boardRowQuery = (board: Board, period: Period, id: string | null) =>
  queryOptions({
    queryKey: ['board', board, 'row', period, id],
    queryFn: ({ signal }) => {
      const path = { kind: board, id: id ?? '' };
      return foundOrNull(getBoardRow({ path, query: { period }, signal, throwOnError: true }));
    },
    enabled: id !== null,
    refetchInterval: BOARD_MS,
    // Of another period, but never another board's or another person's.
    placeholderData: (row, previous) =>
      previous?.queryKey[1] === board && previous.queryKey[4] === id ? row : undefined,
  });

/** Keyed by the account, so that nobody sees what another person loaded. */
export const myAccountQuery = (accountId: string | null) =>
  queryOptions({
    queryKey: ['me', accountId],
    queryFn: async ({ signal }) => (await getMyAccount({ signal, throwOnError: true })).data,
    enabled: accountId !== null,
  });
