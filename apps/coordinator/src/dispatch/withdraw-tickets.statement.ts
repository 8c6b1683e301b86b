import type { Pool } from 'pg';
import { plainArray, PreparedStatement } from '../database/index.js';

interface Ticketed {
  readonly unitId: number;
  readonly ordinal: number;
}

export interface WithdrawnOnly {
  /** Of units whose tickets went out at least so long ago. */
  readonly agedMs?: number;
  /** Of jobs that are paused. */
  readonly ofPausedJobs?: boolean;
}

/** Of each unit from the first of these tickets on, unless that is a task by now. */
const withdraw = new PreparedStatement(
  'withdraw-tickets',
  `UPDATE work_unit u SET ticketed = least(u.ticketed, d.gap), ticketed_at = NULL
     FROM (SELECT id, min(ordinal) AS gap FROM unnest($1::bigint[], $2::smallint[]) AS d(id, ordinal)
            GROUP BY id ORDER BY id) d
    WHERE u.id = d.id AND u.state = 'open' AND u.ticketed_at <= now() - $3 * interval '1 millisecond'
      AND NOT ($4 AND NOT EXISTS (SELECT FROM job j WHERE j.id = u.job_id AND j.state = 'paused'))
      AND NOT EXISTS (SELECT FROM task t WHERE t.unit_id = d.id AND t.ordinal = d.gap)
   RETURNING u.id`,
);

/**
 * Has tickets that are on no queue made anew, at once where their job is running. One that is on a queue after all becomes a replay,
 * which no host gets.
 * @returns units of which any were withdrawn
 */
export async function withdrawTickets(
  pool: Pool,
  tickets: readonly Ticketed[],
  { agedMs = 0, ofPausedJobs = false }: WithdrawnOnly = {},
): Promise<number> {
  const unitIds = plainArray(tickets.map(({ unitId }) => unitId));
  const ordinals = plainArray(tickets.map(({ ordinal }) => ordinal));
  return (await withdraw.run(pool, [unitIds, ordinals, agedMs, ofPausedJobs])).length;
}
