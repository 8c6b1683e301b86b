import { Injectable } from '@nestjs/common';
import type { BoardKind, BoardPage, BoardPeriod, BoardQuery, BoardRow } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { isStatementTimeout } from '../database/index.js';
import { NotFoundError } from '../http/index.js';
import { BOARDS } from './board-order.js';
import { BoardRanks } from './board-ranks.service.js';
import { recentAverageCredit } from './recent-credit.js';
import { SharedAnswers } from './shared-answers.js';

/** With the keeper's second this stays below the two in which a grant reaches the page. */
const FRESHNESS_MS = 500;
const CACHED_PAGES = 500;
/** Names that a search looks at before it ranks them: "a" is part of half of all names. */
const CANDIDATES_MAX = 2_000;
/** Shorter parts have no trigram, and are only looked for at the beginning. */
const CONTAINS_FROM_LENGTH = 3;
/** Names that contain it are looked up by its end: the beginnings of many names are alike, and would all be looked at. */
const CONTAINS_BY_LENGTH = 6;
/** The first ranks of the board, whose names are looked at one by one: a part that is in many names is found among them. */
const CONTAINS_RANKS = 2_000;
/** What is in too many names to be looked up in this time is looked for among the first of the board. */
const CONTAINS_MAX_MS = 15;
/** A board without anchors is at most a minute old or short. */
const COUNTED_MAX = 10_000;

const count = z.coerce.number().int();
const rows = z.array(
  z.object({ id: z.string(), name: z.string(), value: z.string(), credit: z.string(), tasks: count }),
);
type Row = z.infer<typeof rows>[number];
/** What was earned in the period as the board orders by it, null for nothing. */
const foundRows = z.array(rows.element.extend({ standing: z.string().nullable() }));
type FoundRow = z.infer<typeof foundRows>[number];
const candidateRows = z.array(foundRows.element.extend({ lookedAt: count }));
type CandidateRow = z.infer<typeof candidateRows>[number];
const anchors = z.array(z.object({ rank: count, value: z.string(), id: z.string() }));
const totals = z.array(z.object({ total: count }));

@Injectable()
export class BoardsService {
  private readonly pages = new SharedAnswers<BoardPage>(CACHED_PAGES, FRESHNESS_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly ranks: BoardRanks,
  ) {}

  page(kind: BoardKind, query: BoardQuery): Promise<BoardPage> {
    const { period, page, limit, q } = query;
    return this.pages.get(JSON.stringify([kind, period, page, limit, q]), async () => {
      const total = await this.total(kind, period);
      const items = q === undefined ? await this.ranked(kind, query) : await this.search(kind, query, q);
      return { period, page, total, items };
    });
  }

  /** The place of one account, host or team on a board. */
  async row(kind: BoardKind, period: BoardPeriod, id: string): Promise<BoardRow> {
    const found: unknown = await this.dataSource.query(
      `SELECT ${foundColumns(period)} FROM board_entry JOIN board_name USING (kind, id) WHERE kind = $1 AND id = $2`,
      [kind, id],
    );
    const [row] = await this.withRanks(kind, period, foundRows.parse(found));
    if (!row) throw new NotFoundError(`${kind} ${id} on this board`);
    return row;
  }

  /** From the nearest anchor above the page's first rank on. */
  private async ranked(kind: BoardKind, { period, page, limit }: BoardQuery): Promise<BoardRow[]> {
    const { value, type, where } = BOARDS[period];
    const firstRank = (page - 1) * limit + 1;
    const [anchor] = anchors.parse(
      await this.dataSource.query(
        `SELECT rank, value, id FROM board_anchor WHERE kind = $1 AND period = $2 AND rank <= $3
          ORDER BY rank DESC LIMIT 1`,
        [kind, period, firstRank],
      ),
    );
    // Close to the top the anchors are only in the way: they may be a minute old.
    const from = anchor && anchor.rank > 1 ? anchor : null;
    const found = rows.parse(
      await this.dataSource.query(
        `SELECT id, name, ${valueText(period)} AS value, trunc(cycles)::text AS credit, tasks
           FROM board_entry JOIN board_name USING (kind, id)
          WHERE kind = $1 AND ${where}
            ${from ? `AND ${value} <= $4::${type} AND (${value} < $4::${type} OR id >= $5::bigint)` : ''}
          ORDER BY ${value} DESC, id OFFSET $2 LIMIT $3`,
        [kind, firstRank - (from?.rank ?? 1), limit, ...(from ? [from.value, from.id] : [])],
      ),
    );
    return found.map((row, index) => present(row, period, firstRank + index));
  }

  /** The very name first, then those that begin so, then, as far as there is room, those that contain it. */
  private async search(kind: BoardKind, { period, limit }: BoardQuery, q: string): Promise<BoardRow[]> {
    const name = q.toLowerCase();
    const beginning = await this.namesBeginning(kind, period, name, limit);
    if (beginning.length >= limit || name.length < CONTAINS_FROM_LENGTH) {
      return await this.withRanks(kind, period, beginning);
    }
    const known = new Set(beginning.map(({ id }) => id));
    const containing = await this.namesContaining(kind, period, name, limit);
    const others = containing.filter(({ id }) => !known.has(id)).slice(0, limit - beginning.length);
    return await this.withRanks(kind, period, [...beginning, ...others]);
  }

  private async namesBeginning(
    kind: BoardKind,
    period: BoardPeriod,
    name: string,
    limit: number,
  ): Promise<FoundRow[]> {
    const { where, value } = BOARDS[period];
    return foundRows.parse(
      await this.dataSource.query(
        `SELECT ${foundColumns(period)} FROM (
           (SELECT * FROM board_name WHERE kind = $1 AND lower(name) = $2 LIMIT ${CANDIDATES_MAX})
           UNION
           (SELECT * FROM board_name WHERE kind = $1 AND lower(name) LIKE $3 LIMIT ${CANDIDATES_MAX})
         ) found JOIN board_entry USING (kind, id) ORDER BY lower(name) = $2 DESC, (${where}) DESC, ${value} DESC, id LIMIT $4`,
        [kind, name, `${escapePattern(name)}%`, limit],
      ),
    );
  }

  /** All that contain it, best first; of too many those among the board's first, then some others. */
  private async namesContaining(
    kind: BoardKind,
    period: BoardPeriod,
    name: string,
    limit: number,
  ): Promise<FoundRow[]> {
    const some = await this.someContaining(kind, period, name, limit);
    const lookedAt = some?.[0]?.lookedAt ?? 0;
    if (some && lookedAt < CANDIDATES_MAX) return some;
    const first = await this.firstContaining(kind, period, name, limit);
    const known = new Set(first.map(({ id }) => id));
    return [...first, ...(some ?? []).filter(({ id }) => !known.has(id))];
  }

  /** The best of as many names as are looked at; null where there was no time to look. */
  private async someContaining(
    kind: BoardKind,
    period: BoardPeriod,
    name: string,
    limit: number,
  ): Promise<CandidateRow[] | null> {
    const { where, value } = BOARDS[period];
    // By code points: half of one matches nothing.
    const end = Array.from(name).slice(-CONTAINS_BY_LENGTH).join('');
    try {
      return await this.dataSource.transaction(async (manager) => {
        await manager.query(`SET LOCAL statement_timeout = ${CONTAINS_MAX_MS}`);
        const found: unknown = await manager.query(
          `SELECT ${foundColumns(period)}, count(*) OVER () AS "lookedAt" FROM (
             SELECT * FROM board_name WHERE kind = $1 AND lower(name) LIKE $2 AND position($3 IN lower(name)) > 0
              LIMIT ${CANDIDATES_MAX}) found JOIN board_entry USING (kind, id)
            ORDER BY (${where}) DESC, ${value} DESC, id LIMIT $4`,
          [kind, `%${escapePattern(end)}%`, name, limit],
        );
        return candidateRows.parse(found);
      });
    } catch (error) {
      if (isStatementTimeout(error)) return null;
      throw error;
    }
  }

  private async firstContaining(
    kind: BoardKind,
    period: BoardPeriod,
    name: string,
    limit: number,
  ): Promise<FoundRow[]> {
    const { where, value } = BOARDS[period];
    return foundRows.parse(
      await this.dataSource.query(
        `SELECT ${foundColumns(period)} FROM (
           SELECT * FROM board_entry WHERE kind = $1 AND ${where} ORDER BY ${value} DESC, id LIMIT ${CONTAINS_RANKS}
         ) first JOIN board_name USING (kind, id)
          WHERE position($2 IN lower(name)) > 0 ORDER BY ${value} DESC, id LIMIT $3`,
        [kind, name, limit],
      ),
    );
  }

  private async withRanks(
    kind: BoardKind,
    period: BoardPeriod,
    found: readonly FoundRow[],
  ): Promise<BoardRow[]> {
    const standings = found.flatMap(({ id, standing }) =>
      standing === null ? [] : [{ id, value: standing }],
    );
    const known = await this.ranks.find(kind, period, standings);
    const rankById = new Map(standings.map(({ id }, n) => [id, known[n] ?? null]));
    return found.map((row) => present(row, period, rankById.get(row.id) ?? null));
  }

  private async total(kind: BoardKind, period: BoardPeriod): Promise<number> {
    const [last] = totals.parse(
      await this.dataSource.query(
        `SELECT coalesce((SELECT max(rank) FROM board_anchor WHERE kind = $1 AND period = $2),
                         (SELECT count(*) FROM (SELECT FROM board_entry WHERE kind = $1 AND ${BOARDS[period].where}
                                                 LIMIT ${COUNTED_MAX}) counted)) AS total`,
        [kind, period],
      ),
    );
    return last?.total ?? 0;
  }
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}

/** Of rows that may have earned nothing in the period: what they have from an earlier one is not this one's. */
function foundColumns(period: BoardPeriod): string {
  const { value, where } = BOARDS[period];
  return `id, name, trunc(cycles)::text AS credit, tasks, CASE WHEN ${where} THEN ${valueText(period)} ELSE '0' END AS value,
          CASE WHEN ${where} THEN ${value}::text END AS standing`;
}

function valueText(period: BoardPeriod): string {
  const { value, type } = BOARDS[period];
  return type === 'numeric' ? `greatest(0, trunc(${value}))::text` : `${value}::text`;
}

function present(
  { id, name, value, credit, tasks }: Row,
  period: BoardPeriod,
  rank: number | null,
): BoardRow {
  const shown = period === 'rac' ? recentAverageCredit(Number(value), Date.now()).toString() : value;
  return { rank, id, name, value: shown, credit, validTasks: tasks };
}
