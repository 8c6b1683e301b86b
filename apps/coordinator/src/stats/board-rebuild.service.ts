import { Injectable } from '@nestjs/common';
import type { BoardKind } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { lockBoard } from '../credit/index.js';
import { AT_ONCE, type Pace } from '../database/index.js';
import { recentWeight } from './board-order.js';
import { BOARD_KINDS, BOARD_SOURCES } from './board-sources.js';

/** Who earned as late as this has a row before long without a look at the whole ledger. */
export const NEWCOMER_MINUTES = 10;

const WEIGHT = recentWeight('e.granted_at');
const TODAY = "(now() AT TIME ZONE 'UTC')::date";

/** Missing rows that are made with one look at the ledger. */
const MISSING_MAX = 100_000;
/** Ids that are compared with their rows at once; hardly any of them differs. */
const IDS_PER_LOOK = 5_000;

const idRows = z.array(z.object({ id: z.string() }));
const maxRows = z.tuple([z.object({ max: z.coerce.number() })]);

/**
 * Makes rows of the boards from the ledger, every entry in the day, week and month that it was granted in. For rows that were
 * lost, and for an operator who doubts the others: all that costs a look at every entry.
 */
@Injectable()
export class BoardRebuild {
  constructor(private readonly dataSource: DataSource) {}

  /** Everything, as if it had never been counted. */
  async rebuild(): Promise<void> {
    for (const kind of BOARD_KINDS) {
      await this.dataSource.transaction(async (manager) => {
        await lockBoard(manager, kind);
        await manager.query('DELETE FROM board_entry WHERE kind = $1', [kind]);
        await fill(manager, kind, null);
      });
    }
  }

  /** Rows that are missing although they were earned long ago. */
  async restore(kind: BoardKind, pace: Pace = AT_ONCE): Promise<void> {
    let missing: string[] = [];
    for (const parameters of await idRanges(this.dataSource, kind)) {
      const found = await pace.portion(async () =>
        idRows.parse(await this.dataSource.query(missingRows(kind), parameters)),
      );
      for (const { id } of found) missing.push(id);
      if (missing.length < MISSING_MAX) continue;
      await this.make(kind, missing, pace);
      missing = [];
    }
    await this.make(kind, missing, pace);
  }

  private async make(kind: BoardKind, missing: readonly string[], pace: Pace): Promise<void> {
    if (missing.length === 0) return;
    // Without the board's lock: it may take long, and new credit has to reach the page meanwhile.
    const lost = await pace.portion(async () =>
      idRows.parse(await this.dataSource.query(earnedEarlier(kind), [missing])),
    );
    if (lost.length === 0) return;
    await pace.portion(() =>
      this.dataSource.transaction(async (manager) => {
        await lockBoard(manager, kind);
        const ids = lost.map(({ id }) => id);
        await fill(manager, kind, ids);
      }),
    );
  }
}

/** All ids that a board's rows may have, in parts that are looked at at once: first and last of each. */
export async function idRanges(
  dataSource: DataSource,
  kind: BoardKind,
): Promise<ReadonlyArray<[first: number, last: number]>> {
  const [{ max }] = maxRows.parse(
    await dataSource.query(`SELECT coalesce(max(id), 0) AS max FROM ${BOARD_SOURCES[kind].table}`),
  );
  return Array.from({ length: Math.floor(max / IDS_PER_LOOK) + 1 }, (_, n) => [
    n * IDS_PER_LOOK,
    (n + 1) * IDS_PER_LOOK - 1,
  ]);
}

function missingRows(kind: BoardKind): string {
  return `SELECT total.id FROM (${BOARD_SOURCES[kind].totals('BETWEEN $1 AND $2')}) total
           WHERE total.cycles > 0
             AND NOT EXISTS (SELECT FROM board_entry b WHERE b.kind = '${kind}' AND b.id = total.id)`;
}

function earnedEarlier(kind: BoardKind): string {
  const { owner, join, totals } = BOARD_SOURCES[kind];
  return `SELECT total.id FROM (${totals('= ANY ($1::bigint[])')}) total LEFT JOIN (
            SELECT ${owner} AS id, sum(e.cycles) AS cycles FROM credit_entry e ${join}
             WHERE e.granted_at > now() - interval '${NEWCOMER_MINUTES} minutes' AND ${owner} = ANY ($1::bigint[])
             GROUP BY 1) lately USING (id)
           WHERE total.cycles > coalesce(lately.cycles, 0)`;
}

async function fill(manager: EntityManager, kind: BoardKind, ids: readonly string[] | null): Promise<void> {
  const { owner, join, names } = BOARD_SOURCES[kind];
  const since = (period: 'day' | 'week' | 'month'): string =>
    `coalesce(sum(e.cycles) FILTER (WHERE e.granted_at >= date_trunc('${period}', now(), 'UTC')), 0)`;
  await manager.query(
    `WITH earned AS MATERIALIZED (
       SELECT ${owner} AS id, sum(e.cycles) AS cycles, sum(CASE WHEN e.sequence % 2 = 1 THEN -1 ELSE 1 END) AS tasks,
              greatest(0, sum(e.cycles::float8 * ${WEIGHT})) AS recent,
              ${since('day')} AS day_cycles, ${since('week')} AS week_cycles, ${since('month')} AS month_cycles
         FROM credit_entry e ${join}
        WHERE ${owner} IS NOT NULL AND ($2::bigint[] IS NULL OR ${owner} = ANY($2::bigint[])) GROUP BY 1
     ), named AS (
       INSERT INTO board_name (kind, id, name)
       SELECT $1, names.id, names.name FROM earned JOIN (${names}) names USING (id) ORDER BY names.id
       ON CONFLICT (kind, id) DO UPDATE SET name = excluded.name
     )
     INSERT INTO board_entry (kind, id, cycles, tasks, recent, day, day_cycles, week, week_cycles, month, month_cycles)
     SELECT $1, id, earned.cycles, earned.tasks, earned.recent, ${TODAY}, earned.day_cycles,
            date_trunc('week', ${TODAY})::date, earned.week_cycles, date_trunc('month', ${TODAY})::date, earned.month_cycles
       FROM earned JOIN (${names}) names USING (id) ORDER BY id
     ON CONFLICT (kind, id) DO NOTHING`,
    [kind, ids],
  );
}
