import type { Grain } from '../api/queries';

interface StatisticsSearch {
  readonly grain?: Grain;
}

/** What the address says of the statistics page; hours go without saying. */
export function readStatisticsSearch(search: Record<string, unknown>): StatisticsSearch {
  return search['grain'] === 'day' ? { grain: 'day' } : {};
}
