import { Injectable } from '@nestjs/common';
import type { BoardKind, BoardPeriod } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { lockBoard } from '../credit/index.js';
import { PUBLIC_NAME } from '../hosts/index.js';
import { BOARDS } from './board-order.js';
import { BoardRebuild, earnedBy } from './board-rebuild.service.js';
import { HALF_LIFE_SECONDS, RECENT_EPOCH_SECONDS } from './recent-credit.js';

/** Entries this young are looked at again: a batch's time is its beginning, and it may commit seconds later. */
const OVERLAP_SECONDS = 10;
/** Ranks between two anchors: what a page far down skips at most. */
const ANCHOR_RANKS = 500;

const WEIGHT = `2::float8 ^ ((extract(epoch FROM now()) - ${RECENT_EPOCH_SECONDS}) / ${HALF_LIFE_SECONDS})`;
const TODAY = "(now() AT TIME ZONE 'UTC')::date";

/**
 * What a row of each board stands for; people have one, whichever of their accounts earns. With `entries`, a condition on
 * entries of the ledger, only rows that one of these changes.
 */
const TOTALS: Readonly<Record<BoardKind, (entries: string | null) => string>> = {
  accounts: (entries) => `
    SELECT c.account_id AS id, a.name, c.cycles, c.tasks
      FROM account_credit c JOIN account a ON a.id = c.account_id
     WHERE a.person_id IS NULL AND ${among('c.account_id', 'account_id', entries)}
    UNION ALL
    SELECT person.id, a.name, person.cycles, person.tasks
      FROM (SELECT a.person_id AS id, sum(c.cycles) AS cycles, sum(c.tasks)::bigint AS tasks
              FROM account a JOIN account_credit c ON c.account_id = a.id
             WHERE a.person_id IN (SELECT e.person_id FROM account e
                                    WHERE e.person_id IS NOT NULL AND ${among('e.id', 'account_id', entries)})
             GROUP BY a.person_id) person JOIN account a ON a.id = person.id`,
  hosts: (entries) => `
    SELECT s.host_id AS id, ${PUBLIC_NAME} AS name, s.cycles,
           s.credited_tasks AS tasks
      FROM host_standing s JOIN host h ON h.id = s.host_id JOIN account a ON a.id = h.account_id
     WHERE ${among('s.host_id', 'host_id', entries)}`,
  teams: (entries) => `
    SELECT c.team_id AS id, t.name, c.cycles, c.tasks FROM team_credit c JOIN team t ON t.id = c.team_id
     WHERE ${among('c.team_id', 'team_id', entries)}`,
};
const KINDS = Object.keys(TOTALS) as readonly BoardKind[];

function among(id: string, column: 'account_id' | 'host_id' | 'team_id', entries: string | null): string {
  return entries === null ? 'true' : `${id} IN (SELECT ${column} FROM credit_entry WHERE ${entries})`;
}

/**
 * Takes totals into the boards. What a total has grown by since the row took it in was earned meanwhile, whenever and
 * however often this runs, so nothing is counted twice; each statement is one transaction.
 */
@Injectable()
export class BoardKeeper {
  constructor(
    private readonly dataSource: DataSource,
    private readonly lost: BoardRebuild,
  ) {}

  /** Takes in what was earned in the last seconds: since the refresh before, and a little longer. */
  async refresh(sinceSeconds = 0): Promise<void> {
    const seconds = Math.ceil(sinceSeconds) + OVERLAP_SECONDS;
    for (const kind of KINDS) {
      await this.takeIn(kind, `granted_at > now() - interval '${seconds} seconds'`);
    }
  }

  /** Takes in whatever was missed, such as while no coordinator ran, and places the anchors anew. */
  async reconcile(): Promise<void> {
    for (const kind of KINDS) {
      await this.lost.restore(kind);
      await this.takeIn(kind, null);
      for (const period of Object.keys(BOARDS) as BoardPeriod[]) await this.placeAnchors(kind, period);
    }
  }

  private async takeIn(kind: BoardKind, entries: string | null): Promise<void> {
    // Whoever has no row although they earned before these entries lost it: that is made from the ledger, or all would be today's.
    const isNew =
      entries === null ? 'true' : `total.cycles <= (SELECT cycles FROM lately WHERE lately.id = total.id)`;
    await this.alone(kind, async (manager) => {
      await manager.query(
        `WITH lately AS MATERIALIZED (${earnedBy(kind, entries ?? 'false')}), total AS MATERIALIZED (
         SELECT total.* FROM (${TOTALS[kind](entries)}) total
           LEFT JOIN board_entry known ON known.kind = '${kind}' AND known.id = total.id
          WHERE total.cycles IS DISTINCT FROM known.cycles AND (known.id IS NOT NULL OR (total.cycles > 0 AND ${isNew}))
       ), named AS (
         INSERT INTO board_name AS n (kind, id, name)
         SELECT '${kind}', total.id, total.name
           FROM total LEFT JOIN board_name known ON known.kind = '${kind}' AND known.id = total.id
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
    });
  }

  private async placeAnchors(kind: BoardKind, period: BoardPeriod): Promise<void> {
    const { value, where } = BOARDS[period];
    await this.alone(kind, async (manager) => {
      await manager.query('DELETE FROM board_anchor WHERE kind = $1 AND period = $2', [kind, period]);
      await manager.query(
        `INSERT INTO board_anchor (kind, period, rank, value, id)
         SELECT $1, $2, rank, value::text, id FROM (
           SELECT row_number() OVER (ORDER BY ${value} DESC, id) AS rank, count(*) OVER () AS total, ${value} AS value, id
             FROM board_entry WHERE kind = $1 AND ${where}) ranked
          WHERE rank % ${ANCHOR_RANKS} = 1 OR rank = total`,
        [kind, period],
      );
    });
  }

  /** One transaction at a time: a second one would wait for every row of the first, to find that nothing is left to do. */
  private async alone(kind: BoardKind, work: (manager: EntityManager) => Promise<void>): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await lockBoard(manager, kind);
      await work(manager);
    });
  }
}
