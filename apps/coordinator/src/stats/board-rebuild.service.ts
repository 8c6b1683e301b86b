import { Injectable } from '@nestjs/common';
import type { BoardKind } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { lockBoard } from '../credit/index.js';
import { PUBLIC_NAME } from '../hosts/index.js';
import { HALF_LIFE_SECONDS, RECENT_EPOCH_SECONDS } from './recent-credit.js';

/** Who earned as late as this has a row before long without a look at the whole ledger. */
const NEWCOMER_MINUTES = 10;

const WEIGHT = `2::float8 ^ ((extract(epoch FROM e.granted_at)::float8 - ${RECENT_EPOCH_SECONDS}) / ${HALF_LIFE_SECONDS})`;
const TODAY = "(now() AT TIME ZONE 'UTC')::date";

interface Source {
  /** Whose row an entry `e` of the ledger is for. */
  readonly owner: string;
  readonly join: string;
  /** Everybody who may have a row, with the name it shows. */
  readonly names: string;
  /** Everybody who should have a row, with the total that the ledger adds up to. */
  readonly totals: string;
}

const SOURCES: Readonly<Record<BoardKind, Source>> = {
  accounts: {
    owner: 'coalesce(a.person_id, a.id)',
    join: 'JOIN account a ON a.id = e.account_id',
    names: 'SELECT id, name FROM account',
    totals: `SELECT coalesce(a.person_id, a.id) AS id, sum(c.cycles) AS cycles
               FROM account_credit c JOIN account a ON a.id = c.account_id GROUP BY 1`,
  },
  hosts: {
    owner: 'e.host_id',
    join: '',
    names: `SELECT h.id, ${PUBLIC_NAME} AS name FROM host h JOIN account a ON a.id = h.account_id`,
    totals: 'SELECT host_id AS id, cycles FROM host_standing',
  },
  teams: {
    owner: 'e.team_id',
    join: '',
    names: 'SELECT id, name FROM team',
    totals: 'SELECT team_id AS id, cycles FROM team_credit',
  },
};
const KINDS = Object.keys(SOURCES) as readonly BoardKind[];

/** SQL for what each row's owner earned by entries `e` of the ledger that fulfil a condition: `id`, `cycles`. */
export function earnedBy(kind: BoardKind, condition: string): string {
  const { owner, join } = SOURCES[kind];
  return `SELECT ${owner} AS id, sum(e.cycles) AS cycles FROM credit_entry e ${join} WHERE ${condition} GROUP BY 1`;
}

const idRows = z.array(z.object({ id: z.string() }));

/**
 * Makes rows of the boards from the ledger, every entry in the day, week and month that it was granted in. For rows that were
 * lost, and for an operator who doubts the others: all that costs a look at every entry.
 */
@Injectable()
export class BoardRebuild {
  constructor(private readonly dataSource: DataSource) {}

  /** Everything, as if it had never been counted. */
  async rebuild(): Promise<void> {
    for (const kind of KINDS) {
      await this.dataSource.transaction(async (manager) => {
        await lockBoard(manager, kind);
        await manager.query('DELETE FROM board_entry WHERE kind = $1', [kind]);
        await fill(manager, kind, null);
      });
    }
  }

  /** Rows that are missing although they were earned long ago. */
  async restore(kind: BoardKind): Promise<void> {
    const lately = earnedBy(kind, `e.granted_at > now() - interval '${NEWCOMER_MINUTES} minutes'`);
    // Without the board's lock: it takes a second among a million, in which new credit has to reach the page.
    const missing = idRows.parse(
      await this.dataSource.query(
        `SELECT total.id FROM (${SOURCES[kind].totals}) total LEFT JOIN (${lately}) lately USING (id)
          WHERE total.cycles > coalesce(lately.cycles, 0)
            AND NOT EXISTS (SELECT FROM board_entry b WHERE b.kind = $1 AND b.id = total.id)`,
        [kind],
      ),
    );
    if (missing.length === 0) return;
    await this.dataSource.transaction(async (manager) => {
      await lockBoard(manager, kind);
      const ids = missing.map(({ id }) => id);
      await fill(manager, kind, ids);
    });
  }
}

async function fill(manager: EntityManager, kind: BoardKind, ids: readonly string[] | null): Promise<void> {
  const { owner, join, names } = SOURCES[kind];
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
