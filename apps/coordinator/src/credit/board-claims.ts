import type { BoardKind, BoardPeriod } from '@gleaner/protocol';
import type { EntityManager } from 'typeorm';
import { lockBriefly } from './lock-briefly.js';

/** Whatever a transaction runs its statements on. */
interface Connection {
  query(sql: string, parameters: unknown[]): Promise<unknown>;
}

/** Whoever changes rows of a board has it for themselves until the end of the transaction. */
export async function lockBoard(connection: Connection, kind: BoardKind): Promise<void> {
  await connection.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`board ${kind}`]);
}

/**
 * {@link lockBoard} for those whom somebody waits for: a board that is made anew is taken for minutes. After the rows that tell the
 * names, and before tasks: a decision has tasks, and a claim that has the board waits for it.
 *
 * @throws {DomainError} `server-busy`
 */
export async function takeBoard(manager: EntityManager, kind: BoardKind): Promise<void> {
  await lockBriefly(
    manager,
    `SELECT pg_advisory_xact_lock(hashtext('board ${kind}'))`,
    'The leaderboards are being made and take longer than usual.',
  );
}

/** Of two periods the newer one is the row's, and only what was earned in it counts. */
function sumOfPeriod(period: Extract<BoardPeriod, 'day' | 'week' | 'month'>): string {
  const newer = `greatest(b.${period}, excluded.${period})`;
  const earned = (row: string): string =>
    `CASE WHEN ${row}.${period} = ${newer} THEN ${row}.${period}_cycles ELSE 0 END`;
  return `${period} = ${newer}, ${period}_cycles = ${earned('b')} + ${earned('excluded')}`;
}

const FOLD = `
  WITH gone AS (
    DELETE FROM board_entry WHERE kind = 'accounts' AND id = $1 RETURNING *
  ), unnamed AS (
    DELETE FROM board_name WHERE kind = 'accounts' AND id = $1
  ), named AS (
    INSERT INTO board_name (kind, id, name) SELECT 'accounts', a.id, a.name FROM account a, gone WHERE a.id = $2
    ON CONFLICT DO NOTHING
  )
  INSERT INTO board_entry AS b
    (kind, id, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles)
  SELECT kind, $2, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles FROM gone
  ON CONFLICT (kind, id) DO UPDATE
     SET cycles = b.cycles + excluded.cycles, tasks = b.tasks + excluded.tasks, recent = b.recent + excluded.recent,
         ${sumOfPeriod('day')}, ${sumOfPeriod('week')}, ${sumOfPeriod('month')}`;

/**
 * Makes one row of the boards of accounts of two: what the claimed account earned counts for whoever claimed it, in the
 * periods that it was earned in.
 */
export async function foldClaimed(manager: EntityManager, claimedId: string, ownerId: string): Promise<void> {
  await takeBoard(manager, 'accounts');
  await manager.query(FOLD, [claimedId, ownerId]);
}
