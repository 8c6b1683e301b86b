import { HALF_LIFE_SECONDS, RECENT_EPOCH_SECONDS } from '@gleaner/domain';
import type { BoardPeriod } from '@gleaner/protocol';

const TODAY = "(now() AT TIME ZONE 'UTC')::date";
const THIS_WEEK = `date_trunc('week', ${TODAY})::date`;
const THIS_MONTH = `date_trunc('month', ${TODAY})::date`;
const ALWAYS = "'-infinity'::date";

interface BoardOrder {
  readonly value: string;
  readonly type: 'numeric' | 'float8';
  readonly where: string;
  /** The first day that counts: anchors of an earlier one are of another board. */
  readonly starts: string;
}

/** What each board is ordered by and which rows are on it, in the words of its index; never anything from a request. */
export const BOARDS: Readonly<Record<BoardPeriod, BoardOrder>> = {
  all: { value: 'cycles', type: 'numeric', where: 'cycles > 0', starts: ALWAYS },
  rac: { value: 'recent', type: 'float8', where: 'recent > 0', starts: ALWAYS },
  day: { value: 'day_cycles', type: 'numeric', where: `day = ${TODAY} AND day_cycles > 0`, starts: TODAY },
  week: {
    value: 'week_cycles',
    type: 'numeric',
    where: `week = ${THIS_WEEK} AND week_cycles > 0`,
    starts: THIS_WEEK,
  },
  month: {
    value: 'month_cycles',
    type: 'numeric',
    where: `month = ${THIS_MONTH} AND month_cycles > 0`,
    starts: THIS_MONTH,
  },
};

/** SQL of the weight that credit of an instant has in the sum for recent average credit (see `recentAverageCredit`). */
export function recentWeight(instant: string): string {
  return `2::float8 ^ ((extract(epoch FROM ${instant})::float8 - ${RECENT_EPOCH_SECONDS}) / ${HALF_LIFE_SECONDS})`;
}
