import { HALF_LIFE_SECONDS, RECENT_EPOCH_SECONDS } from '@gleaner/domain';
import type { BoardPeriod } from '@gleaner/protocol';

const TODAY = "(now() AT TIME ZONE 'UTC')::date";

/** What each board is ordered by and which rows are on it, in the words of its index; never anything from a request. */
export const BOARDS: Readonly<
  Record<BoardPeriod, { readonly value: string; readonly type: 'numeric' | 'float8'; readonly where: string }>
> = {
  all: { value: 'cycles', type: 'numeric', where: 'cycles > 0' },
  rac: { value: 'recent', type: 'float8', where: 'recent > 0' },
  day: { value: 'day_cycles', type: 'numeric', where: `day = ${TODAY} AND day_cycles > 0` },
  week: {
    value: 'week_cycles',
    type: 'numeric',
    where: `week = date_trunc('week', ${TODAY})::date AND week_cycles > 0`,
  },
  month: {
    value: 'month_cycles',
    type: 'numeric',
    where: `month = date_trunc('month', ${TODAY})::date AND month_cycles > 0`,
  },
};

/** SQL of the weight that credit of an instant has in the sum for recent average credit (see `recentAverageCredit`). */
export function recentWeight(instant: string): string {
  return `2::float8 ^ ((extract(epoch FROM ${instant})::float8 - ${RECENT_EPOCH_SECONDS}) / ${HALF_LIFE_SECONDS})`;
}
