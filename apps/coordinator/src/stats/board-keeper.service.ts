import { Injectable } from '@nestjs/common';
import type { BoardKind, BoardPeriod } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { lockBoard } from '../credit/index.js';
import {
  AT_ONCE,
  hotTransaction,
  type Pace,
  plainArray,
  PreparedStatement,
  type Queryable,
  tokenArray,
} from '../database/index.js';
import { BOARDS, recentWeight } from './board-order.js';
import { BoardRebuild, idRanges, NEWCOMER_MINUTES } from './board-rebuild.service.js';
import { BOARD_KINDS, BOARD_SOURCES } from './board-sources.js';
import { Earnings } from './earnings.service.js';

/** Rows of one transaction: whoever asks for work meanwhile waits for no more. */
const ROWS_PER_PORTION = 500;
/** Ranks between two anchors: what a page far down skips at most. */
const ANCHOR_RANKS = 500;

const WEIGHT = recentWeight('now()');
const TODAY = "(now() AT TIME ZONE 'UTC')::date";

/**
 * Takes in the totals of rows whose ids fulfil a condition. Subqueries with OFFSET stay what they are, a look at one row each:
 * the planner would rather read whole boards.
 *
 * @param isNew tells of a total without a row that it was not earned before: rows that were lost are made from the ledger
 */
function takeInStatement(
  kind: BoardKind,
  name: string,
  among: string,
  isNew: string,
): PreparedStatement<never> {
  const known = (table: string): string => `LEFT JOIN LATERAL (
           SELECT * FROM ${table} known WHERE known.kind = '${kind}' AND known.id = total.id OFFSET 0) known ON true`;
  return new PreparedStatement(
    `${name}-${kind}`,
    `WITH total AS MATERIALIZED (
       SELECT total.* FROM (${BOARD_SOURCES[kind].totals(among)}) total ${known('board_entry')}
        WHERE total.cycles IS DISTINCT FROM known.cycles AND (known.id IS NOT NULL OR (total.cycles > 0 AND ${isNew}))
     ), named AS (
       INSERT INTO board_name AS n (kind, id, name)
       SELECT '${kind}', total.id, total.name FROM total ${known('board_name')}
        WHERE known.name IS DISTINCT FROM total.name ORDER BY total.id
       ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name
     )
     INSERT INTO board_entry AS b
       (kind, id, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles)
     SELECT '${kind}', total.id, total.cycles, total.tasks, total.cycles::float8 * ${WEIGHT},
            ${TODAY}, total.cycles, date_trunc('week', ${TODAY})::date, total.cycles,
            date_trunc('month', ${TODAY})::date, total.cycles
       FROM total ORDER BY total.id
     ON CONFLICT (kind, id) DO UPDATE
        SET cycles = excluded.cycles, tasks = excluded.tasks, day = excluded.day,
            week = excluded.week, month = excluded.month,
            recent = greatest(0, b.recent + (excluded.cycles - b.cycles)::float8 * ${WEIGHT}),
            day_cycles = CASE WHEN b.day = excluded.day THEN b.day_cycles ELSE 0 END + excluded.cycles - b.cycles,
            week_cycles = CASE WHEN b.week = excluded.week THEN b.week_cycles ELSE 0 END + excluded.cycles - b.cycles,
            month_cycles = CASE WHEN b.month = excluded.month THEN b.month_cycles ELSE 0 END
                           + excluded.cycles - b.cycles
      WHERE b.cycles <> excluded.cycles`,
  );
}

/** Of everybody whose id is from `$1` to `$2`. */
const takeInRange = forEachKind((kind) =>
  takeInStatement(kind, 'take-in-range', 'BETWEEN $1::bigint AND $2::bigint', 'true'),
);
/** Of the ids `$1`, who earned `$2` lately. */
const takeInEarners = forEachKind((kind) =>
  takeInStatement(
    kind,
    'take-in-earners',
    '= ANY ($1::bigint[])',
    // Under load a newcomer has earned more by the time that its row is made; whoever came as late has nothing to be lost.
    `(total.cycles <= (SELECT l.cycles FROM unnest($1::bigint[], $2::numeric[]) AS l(id, cycles) WHERE l.id = total.id)
      OR (SELECT o.created_at FROM ${BOARD_SOURCES[kind].table} o WHERE o.id = total.id) > now() - interval '${NEWCOMER_MINUTES} minutes')`,
  ),
);

/**
 * Takes totals into the boards. What a total has grown by since the row took it in was earned meanwhile, whenever and
 * however often this runs, so nothing is counted twice; each statement is one transaction.
 */
@Injectable()
export class BoardKeeper {
  constructor(
    private readonly dataSource: DataSource,
    private readonly earnings: Earnings,
    private readonly lost: BoardRebuild,
  ) {}

  /** Takes in what was earned since the refresh before. */
  async refresh(pace: Pace = AT_ONCE): Promise<void> {
    await this.earnings.sinceLast(pace, async (earned) => {
      for (const kind of BOARD_KINDS) {
        // Neighbours together: they share pages of the tables and of their keys.
        const owners = [...earned[kind]].sort(([a], [b]) => Number(a) - Number(b));
        for (let at = 0; at < owners.length; at += ROWS_PER_PORTION) {
          const part = owners.slice(at, at + ROWS_PER_PORTION);
          const arrays = [tokenArray(part.map(([id]) => id)), plainArray(part.map(([, cycles]) => cycles))];
          await pace.portion(() =>
            this.alone(kind, (connection) => takeInEarners[kind].run(connection, arrays)),
          );
        }
      }
    });
  }

  /** Takes in whatever was missed, such as while no coordinator ran, and places the anchors anew. */
  async reconcile(pace: Pace = AT_ONCE): Promise<void> {
    for (const kind of BOARD_KINDS) {
      await this.lost.restore(kind, pace);
      for (const range of await idRanges(this.dataSource, kind)) {
        await pace.portion(() => this.alone(kind, (connection) => takeInRange[kind].run(connection, range)));
      }
      for (const period of Object.keys(BOARDS) as BoardPeriod[])
        await pace.portion(() => this.placeAnchors(kind, period));
    }
  }

  private async placeAnchors(kind: BoardKind, period: BoardPeriod): Promise<void> {
    const { value, where, starts } = BOARDS[period];
    await this.alone(kind, async (connection) => {
      await connection.query('DELETE FROM board_anchor WHERE kind = $1 AND period = $2', [kind, period]);
      await connection.query(
        `INSERT INTO board_anchor (kind, period, starts, rank, value, id)
         SELECT $1, $2, ${starts}, rank, value::text, id FROM (
           SELECT row_number() OVER (ORDER BY ${value} DESC, id) AS rank, count(*) OVER () AS total, ${value} AS value, id
             FROM board_entry WHERE kind = $1 AND ${where}) ranked
          WHERE rank % ${ANCHOR_RANKS} = 1 OR rank = total`,
        [kind, period],
      );
    });
  }

  /** One transaction at a time: a second one would wait for every row of the first, to find that nothing is left to do. */
  private async alone(kind: BoardKind, work: (connection: Queryable) => Promise<unknown>): Promise<void> {
    await hotTransaction(this.dataSource, async (connection) => {
      await lockBoard(connection, kind);
      await work(connection);
    });
  }
}

function forEachKind<T>(make: (kind: BoardKind) => T): Readonly<Record<BoardKind, T>> {
  return { accounts: make('accounts'), hosts: make('hosts'), teams: make('teams') };
}
