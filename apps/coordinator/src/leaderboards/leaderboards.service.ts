import { Injectable } from '@nestjs/common';
import type { Leaderboard } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { BoundedCache, decodeCursor, ID_PATTERN, toPage } from '../http/index.js';
import { PUBLIC_NAME } from '../hosts/index.js';

export type Board = 'accounts' | 'hosts';

/** Totals change with every validated batch; a reader does not notice two seconds, and a crowd of them costs one query. */
const FRESHNESS_MS = 2000;
const CACHED_PAGES = 200;
const CYCLES_PATTERN = /^(0|[1-9]\d{0,60})$/;
const RANK_PATTERN = /^\d{1,12}$/;

/** Rows below the cursor, one for each person: fewer cycles, or as many and a larger id. `$1` cycles, `$2` id, `$3` limit. */
const BOARD_SQL: Readonly<Record<Board, string>> = {
  accounts: `
    SELECT id, name, cycles::text AS cycles, tasks FROM (
      (SELECT c.account_id AS id, a.name, c.cycles, c.tasks
         FROM account_credit c JOIN account a ON a.id = c.account_id
        WHERE a.person_id IS NULL AND c.cycles > 0
          AND ($1::numeric IS NULL OR c.cycles < $1 OR (c.cycles = $1 AND c.account_id > $2))
        ORDER BY c.cycles DESC, c.account_id LIMIT $3)
      UNION ALL
      SELECT p.id, a.name, p.cycles, p.tasks
        FROM (SELECT m.person_id AS id, sum(c.cycles) AS cycles, sum(c.tasks)::bigint AS tasks
                FROM account m JOIN account_credit c ON c.account_id = m.id
               WHERE m.person_id IS NOT NULL GROUP BY m.person_id) p JOIN account a ON a.id = p.id
       WHERE p.cycles > 0 AND ($1::numeric IS NULL OR p.cycles < $1 OR (p.cycles = $1 AND p.id > $2))
    ) board
     ORDER BY board.cycles DESC, board.id LIMIT $3`,
  hosts: `
    SELECT s.host_id AS id, ${PUBLIC_NAME} AS name, s.cycles::text AS cycles, s.credited_tasks AS tasks
      FROM host_standing s JOIN host h ON h.id = s.host_id JOIN account a ON a.id = h.account_id
     WHERE s.cycles > 0
       AND ($1::numeric IS NULL OR s.cycles < $1 OR (s.cycles = $1 AND s.host_id > $2))
     ORDER BY s.cycles DESC, s.host_id LIMIT $3`,
};

const boardRow = z.object({
  id: z.string(),
  name: z.string(),
  cycles: z.string(),
  tasks: z.coerce.number().int(),
});

@Injectable()
export class LeaderboardsService {
  private readonly pages = new BoundedCache<string, Promise<Leaderboard>>(CACHED_PAGES, FRESHNESS_MS);

  constructor(private readonly dataSource: DataSource) {}

  /** Most credit first; rows with equal credit by id. Ranks count from 1 across pages. */
  async page(board: Board, cursor: string | undefined, limit: number): Promise<Leaderboard> {
    const key = `${board} ${limit} ${cursor ?? ''}`;
    const cached = this.pages.get(key);
    if (cached) return await cached;
    const page = this.load(board, cursor, limit);
    this.pages.set(key, page);
    try {
      return await page;
    } catch (error) {
      this.pages.delete(key);
      throw error;
    }
  }

  private async load(board: Board, cursor: string | undefined, limit: number): Promise<Leaderboard> {
    const [cycles = null, id = null, lastRank = '0'] =
      cursor === undefined ? [] : decodeCursor(cursor, [CYCLES_PATTERN, ID_PATTERN, RANK_PATTERN]);
    const rows = z
      .array(boardRow)
      .parse(await this.dataSource.query(BOARD_SQL[board], [cycles, id, limit + 1]));
    const ranked = rows.map((row, index) => ({ ...row, rank: Number(lastRank) + index + 1 }));
    return toPage(
      ranked,
      limit,
      (row) => ({ rank: row.rank, id: row.id, name: row.name, credit: row.cycles, validTasks: row.tasks }),
      (row) => [row.cycles, row.id, String(row.rank)],
    );
  }
}
