import { Injectable } from '@nestjs/common';
import type { BoardKind, BoardPeriod } from '@gleaner/protocol';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { BOARDS } from './board-order.js';
import { SharedAnswers } from './shared-answers.js';

/** Anchors are placed once a minute. */
const ANCHORS_FRESHNESS_MS = 10_000;
const BOARDS_MAX = 50;

const anchorRows = z.array(z.object({ rank: z.coerce.number().int(), value: z.string(), id: z.string() }));
const aheadRows = z.array(z.object({ ahead: z.coerce.number().int() }));

/** Where somebody stands: the value by which the board is ordered, and the id that decides between equal values. */
interface Standing {
  readonly id: string;
  readonly value: string;
}

interface Anchor extends Standing {
  readonly rank: number;
}

/** Finds ranks without counting a board from its top: from the nearest anchor above on. */
@Injectable()
export class BoardRanks {
  private readonly anchors = new SharedAnswers<readonly Anchor[]>(BOARDS_MAX, ANCHORS_FRESHNESS_MS);

  constructor(private readonly dataSource: DataSource) {}

  /** The ranks of standings that are on the board, in their order. */
  async find(kind: BoardKind, period: BoardPeriod, standings: readonly Standing[]): Promise<number[]> {
    if (standings.length === 0) return [];
    const anchors = await this.anchorsOf(kind, period);
    const from = standings.map((standing) => lastAbove(anchors, standing));
    const { value, type, where } = BOARDS[period];
    const rows = aheadRows.parse(
      await this.dataSource.query(
        `SELECT (SELECT count(*) FROM board_entry WHERE kind = $1 AND ${where}
                    AND ${value} <= s.from_value AND (${value} < s.from_value OR id >= s.from_id)
                    AND ${value} >= s.value AND (${value} > s.value OR id < s.id)) AS ahead
           FROM unnest($2::${type}[], $3::bigint[], $4::${type}[], $5::bigint[]) WITH ORDINALITY
                AS s(value, id, from_value, from_id, n) ORDER BY s.n`,
        [
          kind,
          standings.map((standing) => standing.value),
          standings.map((standing) => standing.id),
          from.map((anchor) => anchor?.value ?? 'Infinity'),
          from.map((anchor) => anchor?.id ?? '0'),
        ],
      ),
    );
    return rows.map(({ ahead }, n) => (from[n]?.rank ?? 1) + ahead);
  }

  /** Without the first: close to the top the count is exact, and anchors may be a minute old. */
  private anchorsOf(kind: BoardKind, period: BoardPeriod): Promise<readonly Anchor[]> {
    // A board of a day is another one tomorrow.
    const today = new Date().toISOString().slice(0, 10);
    return this.anchors.get(`${kind} ${period} ${today}`, async () =>
      anchorRows.parse(
        await this.dataSource.query(
          `SELECT rank, value, id FROM board_anchor
            WHERE kind = $1 AND period = $2 AND rank > 1 AND starts = ${BOARDS[period].starts} ORDER BY rank`,
          [kind, period],
        ),
      ),
    );
  }
}

/** The last anchor that stands no lower than the standing. */
function lastAbove(anchors: readonly Anchor[], standing: Standing): Anchor | undefined {
  let low = 0;
  let high = anchors.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    // The middle of a range that is not empty is in it.
    if (isNoLower(anchors[middle]!, standing)) low = middle + 1;
    else high = middle;
  }
  return anchors[low - 1];
}

function isNoLower(anchor: Standing, standing: Standing): boolean {
  const [above, own] = [amountOf(anchor.value), amountOf(standing.value)];
  return above === own ? BigInt(anchor.id) <= BigInt(standing.id) : above > own;
}

/** Cycles are whole and of any size; recent credit is a double. */
function amountOf(value: string): bigint | number {
  return /^\d+$/.test(value) ? BigInt(value) : Number(value);
}
