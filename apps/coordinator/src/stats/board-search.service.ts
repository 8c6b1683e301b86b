import { Injectable } from '@nestjs/common';
import type { BoardKind, BoardPeriod } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { isStatementTimeout } from '../database/index.js';
import { BOARDS } from './board-order.js';
import { boardCount, boardRows, valueText } from './board-rows.js';

/** Names that a search looks at before it ranks them: "a" is part of half of all names. */
const CANDIDATES_MAX = 2_000;
/** Shorter parts have no trigram, and are only looked for at the beginning and among the first ranks. */
const CONTAINS_FROM_LENGTH = 3;
/** Names that contain it are looked up by its end: the beginnings of many names are alike, and would all be looked at. */
const CONTAINS_BY_LENGTH = 6;
/** The first ranks of the board, whose names are looked at one by one: a part that is in many names is found among them. */
const CONTAINS_RANKS = 1_000;
/** What is in too many names to be looked up in this time is looked for among the first of the board. */
const CONTAINS_MAX_MS = 10;

/** Only Postgres makes names and what is looked for lower case: it and JavaScript differ in letters such as İ and Σ. */
const CONTAINS = 'position(lower($2::text) IN lower(name)) > 0';
const BEGINS = 'starts_with(lower(name), lower($2::text))';
const IS_SAME = 'lower(name) = lower($2::text)';
const LOOKED_AT = 'count(*) OVER () AS "lookedAt"';

/** What was earned in the period as the board orders by it, null for nothing. */
export const foundRows = z.array(boardRows.element.extend({ standing: z.string().nullable() }));
export type FoundRow = z.infer<typeof foundRows>[number];
const candidateRow = foundRows.element.extend({ lookedAt: boardCount });
const candidateRows = z.array(candidateRow);
const beginningRows = z.array(candidateRow.extend({ isSame: z.boolean() }));
type CandidateRow = z.infer<typeof candidateRow>;

/** Of rows that may have earned nothing in the period: what they have from an earlier one is not this one's. */
export function foundColumns(period: BoardPeriod): string {
  const { value, where } = BOARDS[period];
  return `id, name, trunc(cycles)::text AS credit, tasks, CASE WHEN ${where} THEN ${valueText(period)} ELSE '0' END AS value,
          CASE WHEN ${where} THEN ${value}::text END AS standing`;
}

/** A name that is looked for on one board. */
interface Wanted {
  readonly kind: BoardKind;
  readonly period: BoardPeriod;
  /** As it was typed. */
  readonly name: string;
  readonly limit: number;
}

export interface Search {
  readonly rows: readonly FoundRow[];
  /** It took too long: names below the first ranks that contain what was looked for may be missing. */
  readonly isCutShort: boolean;
}

/** Finds accounts, hosts and teams by their names, however many have names alike. */
@Injectable()
export class BoardSearch {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The very name first, then those that begin so, then, as far as there is room, those that contain it.
   *
   * @param name as it was typed: letters are the same in both cases
   */
  async find(kind: BoardKind, period: BoardPeriod, name: string, limit: number): Promise<Search> {
    const wanted = { kind, period, name, limit };
    const beginning = await this.beginning(wanted);
    if (beginning.length >= limit) return { rows: beginning, isCutShort: false };
    const { rows, isCutShort } = await this.containing(wanted);
    return { rows: [...beginning, ...without(beginning, rows)].slice(0, limit), isCutShort };
  }

  private async beginning(wanted: Wanted): Promise<FoundRow[]> {
    const { kind, name, limit } = wanted;
    const candidates = `(
        (SELECT * FROM board_name WHERE kind = $1 AND ${IS_SAME} LIMIT ${CANDIDATES_MAX})
        UNION
        (SELECT * FROM board_name WHERE kind = $1 AND lower(name) LIKE lower($3::text) LIMIT ${CANDIDATES_MAX})
      ) found JOIN board_entry USING (kind, id)`;
    const order = { first: IS_SAME, also: `${LOOKED_AT}, ${IS_SAME} AS "isSame"`, limit: '$4' };
    const values = [kind, name, `${escapePattern(name)}%`, limit];
    const some = beginningRows.parse(await this.dataSource.query(bestOf(wanted, candidates, order), values));
    if ((some[0]?.lookedAt ?? 0) < CANDIDATES_MAX) return some;
    const same = some.filter(({ isSame }) => isSame);
    const first = without(same, await this.firstRanks(wanted, BEGINS));
    return [...same, ...first, ...without([...same, ...first], some)].slice(0, limit);
  }

  /** All that contain it, best first; of too many those among the board's first, then some others. */
  private async containing(wanted: Wanted): Promise<Search> {
    if (wanted.name.length < CONTAINS_FROM_LENGTH)
      return { rows: await this.firstRanks(wanted, CONTAINS), isCutShort: false };
    const some = await this.someContaining(wanted);
    const lookedAt = some?.[0]?.lookedAt ?? 0;
    if (some && lookedAt < CANDIDATES_MAX) return { rows: some, isCutShort: false };
    const first = await this.firstRanks(wanted, CONTAINS);
    return { rows: [...first, ...without(first, some ?? [])], isCutShort: some === null };
  }

  /** The best of as many names as are looked at; null where there was no time to look. */
  private async someContaining(wanted: Wanted): Promise<CandidateRow[] | null> {
    const { kind, name, limit } = wanted;
    // By code points: half of one matches nothing.
    const end = Array.from(name).slice(-CONTAINS_BY_LENGTH).join('');
    const candidates = `(
        SELECT * FROM board_name WHERE kind = $1 AND lower(name) LIKE lower($3::text) AND ${CONTAINS}
         LIMIT ${CANDIDATES_MAX}
      ) found JOIN board_entry USING (kind, id)`;
    const statement = bestOf(wanted, candidates, { also: LOOKED_AT, limit: '$4' });
    const look = async (manager: EntityManager): Promise<unknown> => {
      await manager.query(`SET LOCAL statement_timeout = ${CONTAINS_MAX_MS}`);
      return await manager.query(statement, [kind, name, `%${escapePattern(end)}%`, limit]);
    };
    try {
      return candidateRows.parse(await this.dataSource.transaction(look));
    } catch (error) {
      if (isStatementTimeout(error)) return null;
      throw error;
    }
  }

  /** Those of the board's first whose names, of which `$2` is a part, fit. */
  private async firstRanks(wanted: Wanted, fits: string): Promise<FoundRow[]> {
    const { kind, period, name, limit } = wanted;
    const { where, value } = BOARDS[period];
    const candidates = `(
        SELECT * FROM board_entry WHERE kind = $1 AND ${where} ORDER BY ${value} DESC, id LIMIT ${CONTAINS_RANKS}
      ) first JOIN board_name USING (kind, id) WHERE ${fits}`;
    const statement = bestOf(wanted, candidates, { limit: '$3' });
    return foundRows.parse(await this.dataSource.query(statement, [kind, name, limit]));
  }
}

/** SQL of the best of the candidates: those who earned something in the period before the others. */
function bestOf(
  { period }: Wanted,
  candidates: string,
  { first, also, limit }: { readonly first?: string; readonly also?: string; readonly limit: string },
): string {
  const { where, value } = BOARDS[period];
  const columns = [foundColumns(period), ...(also === undefined ? [] : [also])].join(', ');
  const order = [...(first === undefined ? [] : [`${first} DESC`]), `(${where}) DESC`, `${value} DESC`, 'id'];
  return `SELECT ${columns} FROM ${candidates} ORDER BY ${order.join(', ')} LIMIT ${limit}`;
}

function without<Row extends FoundRow>(known: readonly FoundRow[], rows: readonly Row[]): Row[] {
  const ids = new Set(known.map(({ id }) => id));
  return rows.filter(({ id }) => !ids.has(id));
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
