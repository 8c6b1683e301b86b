import { plainArray, PreparedStatement, type Queryable, tokenArray } from '../database/index.js';

/** What became of a host's tasks without a judgement: how many more, or fewer where a late result came after all. */
export interface EndedTasks {
  readonly hostId: string;
  readonly lost: number;
  readonly aborted: number;
}

const countEnded = new PreparedStatement<never>(
  'count-ended-tasks',
  `UPDATE host_standing s SET lost_tasks = s.lost_tasks + c.lost, aborted_tasks = s.aborted_tasks + c.aborted
     FROM (SELECT host_id, sum(lost) AS lost, sum(aborted) AS aborted
             FROM unnest($1::bigint[], $2::integer[], $3::integer[]) AS e(host_id, lost, aborted)
            GROUP BY host_id ORDER BY host_id) c
    WHERE s.host_id = c.host_id`,
);

/**
 * Adds to what the owners of hosts are shown; nothing is decided by it. A statement of its own, after the one that changed the
 * tasks: decisions lock hosts before tasks, and would deadlock with one that does it the other way round. So it may come after
 * the statement of a late result, and a count may be below zero for that long.
 */
export async function countEndedTasks(connection: Queryable, ended: readonly EndedTasks[]): Promise<void> {
  if (ended.length === 0) return;
  await countEnded.run(connection, [
    tokenArray(ended.map(({ hostId }) => hostId)),
    plainArray(ended.map(({ lost }) => lost)),
    plainArray(ended.map(({ aborted }) => aborted)),
  ]);
}
