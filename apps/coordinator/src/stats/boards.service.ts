import { Injectable } from '@nestjs/common';
import { recentAverageCredit } from '@gleaner/domain';
import type { BoardKind, BoardPage, BoardPeriod, BoardQuery, BoardRow } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { NotFoundError } from '../http/index.js';
import { BOARDS } from './board-order.js';
import { BoardRanks } from './board-ranks.service.js';
import { boardCount, boardRows, type BoardRowFound, valueText } from './board-rows.js';
import { BoardSearch, type FoundRow, foundColumns, foundRows } from './board-search.service.js';
import { SharedAnswers } from './shared-answers.js';

/** With the keeper's second this stays below the two in which a grant reaches the page. */
const FRESHNESS_MS = 500;
const CACHED_PAGES = 500;
/** A board without anchors is at most a minute old or short. */
const COUNTED_MAX = 10_000;

const anchors = z.array(z.object({ rank: boardCount, value: z.string(), id: z.string() }));
const totals = z.array(z.object({ total: boardCount }));

@Injectable()
export class BoardsService {
  private readonly pages = new SharedAnswers<BoardPage>(CACHED_PAGES, FRESHNESS_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly ranks: BoardRanks,
    private readonly searching: BoardSearch,
  ) {}

  page(kind: BoardKind, query: BoardQuery): Promise<BoardPage> {
    const { period, page, limit, q } = query;
    return this.pages.get(JSON.stringify([kind, period, page, limit, q]), async () => {
      const total = await this.total(kind, period);
      const found =
        q === undefined
          ? { items: await this.ranked(kind, query), isCutShort: false }
          : await this.searched(kind, query, q);
      return { period, page, total, ...found };
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
    const { value, type, where, starts } = BOARDS[period];
    const firstRank = (page - 1) * limit + 1;
    const [anchor] = anchors.parse(
      await this.dataSource.query(
        `SELECT rank, value, id FROM board_anchor WHERE kind = $1 AND period = $2 AND rank <= $3 AND starts = ${starts}
          ORDER BY rank DESC LIMIT 1`,
        [kind, period, firstRank],
      ),
    );
    // Close to the top the anchors are only in the way: they may be a minute old.
    const from = anchor && anchor.rank > 1 ? anchor : null;
    const found = boardRows.parse(
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

  private async searched(
    kind: BoardKind,
    { period, limit }: BoardQuery,
    q: string,
  ): Promise<Pick<BoardPage, 'items' | 'isCutShort'>> {
    const { rows, isCutShort } = await this.searching.find(kind, period, q, limit);
    return { items: await this.withRanks(kind, period, rows), isCutShort };
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
    const { where, starts } = BOARDS[period];
    const [last] = totals.parse(
      await this.dataSource.query(
        `SELECT coalesce((SELECT max(rank) FROM board_anchor WHERE kind = $1 AND period = $2 AND starts = ${starts}),
                         (SELECT count(*) FROM (SELECT FROM board_entry WHERE kind = $1 AND ${where}
                                                 LIMIT ${COUNTED_MAX}) counted)) AS total`,
        [kind, period],
      ),
    );
    return last?.total ?? 0;
  }
}

function present(
  { id, name, value, credit, tasks }: BoardRowFound,
  period: BoardPeriod,
  rank: number | null,
): BoardRow {
  const shown = period === 'rac' ? recentAverageCredit(Number(value), Date.now()).toString() : value;
  return { rank, id, name, value: shown, credit, validTasks: tasks };
}
