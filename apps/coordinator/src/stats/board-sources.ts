import type { BoardKind } from '@gleaner/protocol';
import { PUBLIC_NAME } from '../hosts/index.js';

/** What the rows of a board are made of. */
export interface BoardSource {
  /** Whose ids the rows have. */
  readonly table: string;
  /** Whose row an entry `e` of the ledger is for. */
  readonly owner: string;
  readonly join: string;
  /** Everybody who may have a row, with the name it shows. */
  readonly names: string;
  /**
   * SQL for what rows stand for: `id`, `name`, `cycles`, `tasks`. People have one, whichever of their accounts earns.
   *
   * @param among condition on an id, such as `= ANY($1)`, that the rows have to fulfil
   */
  readonly totals: (among: string) => string;
}

/** Both sides of a join name the ids: from the one alone the planner does not learn that it needs no more of the other. */
export const BOARD_SOURCES: Readonly<Record<BoardKind, BoardSource>> = {
  accounts: {
    table: 'account',
    owner: 'coalesce(a.person_id, a.id)',
    join: 'JOIN account a ON a.id = e.account_id',
    names: 'SELECT id, name FROM account',
    totals: (among) => `
      SELECT c.account_id AS id, a.name, c.cycles, c.tasks
        FROM account_credit c JOIN account a ON a.id = c.account_id
       WHERE a.person_id IS NULL AND c.account_id ${among} AND a.id ${among}
      UNION ALL
      SELECT person.id, a.name, person.cycles, person.tasks
        FROM (SELECT a.person_id AS id, sum(c.cycles) AS cycles, sum(c.tasks)::bigint AS tasks
                FROM account a JOIN account_credit c ON c.account_id = a.id
               WHERE a.person_id ${among} GROUP BY a.person_id) person JOIN account a ON a.id = person.id`,
  },
  hosts: {
    table: 'host',
    owner: 'e.host_id',
    join: '',
    names: `SELECT h.id, ${PUBLIC_NAME} AS name FROM host h JOIN account a ON a.id = h.account_id`,
    totals: (among) => `
      SELECT s.host_id AS id, ${PUBLIC_NAME} AS name, s.cycles, s.credited_tasks AS tasks
        FROM host_standing s JOIN host h ON h.id = s.host_id JOIN account a ON a.id = h.account_id
       WHERE s.host_id ${among} AND h.id ${among}`,
  },
  teams: {
    table: 'team',
    owner: 'e.team_id',
    join: '',
    names: 'SELECT id, name FROM team',
    totals: (among) => `
      SELECT c.team_id AS id, t.name, c.cycles, c.tasks FROM team_credit c JOIN team t ON t.id = c.team_id
       WHERE c.team_id ${among}`,
  },
};

export const BOARD_KINDS = Object.keys(BOARD_SOURCES) as readonly BoardKind[];
