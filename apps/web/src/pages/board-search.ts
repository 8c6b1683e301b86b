import type { Board, Period } from '../api/queries';

export interface BoardSearch {
  readonly board?: Board;
  readonly period?: Period;
  readonly page?: number;
  readonly q?: string;
}

/** Rows of one page of a board. */
export const PAGE_ROWS = 50;

const BOARDS: readonly Board[] = ['accounts', 'teams', 'hosts'];
const PERIODS: readonly Period[] = ['all', 'rac', 'day', 'week', 'month'];
const NAME_LENGTH = 80;
const LAST_PAGE = 1_000_000;

/** What the address says of the leaderboards page; what it cannot mean is left out. */
export function readBoardSearch(search: Record<string, unknown>): BoardSearch {
  const board = BOARDS.find((known) => known === search['board']);
  const period = PERIODS.find((known) => known === search['period']);
  const page = Number(search['page']);
  const q = typeof search['q'] === 'string' ? search['q'].trim().slice(0, NAME_LENGTH) : '';
  return {
    ...(board !== undefined && board !== 'accounts' && { board }),
    ...(period !== undefined && period !== 'all' && { period }),
    ...(Number.isInteger(page) && page > 1 && page <= LAST_PAGE && { page }),
    ...(q !== '' && { q }),
  };
}
