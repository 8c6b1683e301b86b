import { bySqlState, databaseTrouble } from '../database/index.js';
import type { ProblemCode } from './problem-table.js';

type Told = readonly [code: ProblemCode, detail: string];

const AWAY: Told = ['unavailable', 'The database is restarting. Try again in a moment.'];
const NOT_LET_IN: Told = [
  'unavailable',
  'The database does not let the coordinator in. Try again later: its operator has to look at it.',
];

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQLSTATE: Readonly<Record<string, Told>> = {
  '08': ['unavailable', 'A connection that this needs was lost. Try again in a moment.'],
  '28': NOT_LET_IN,
  '3D': NOT_LET_IN,
  // Serialisation failures and deadlocks.
  '40': ['server-busy', 'Others changed the same at that moment. Nothing was stored: try again.'],
  '53300': ['server-busy', 'The database has no free connection. Try again in a moment.'],
  '55P03': ['server-busy', 'Something in the database is locked for long. Try again in a moment.'],
  '57014': ['server-busy', 'The database took too long. Try again in a moment.'],
  '57P01': AWAY,
  '57P02': AWAY,
  '57P03': ['unavailable', 'The database is starting. Try again in a moment.'],
};

/** How a request is answered that failed because its database is in trouble; undefined for codes of all other kinds. */
export function databaseProblem(code: string): Told | undefined {
  const told = bySqlState(BY_SQLSTATE, code);
  if (told) return told;
  const trouble = databaseTrouble(code);
  return trouble === undefined
    ? undefined
    : ['unavailable', `The database takes nothing: ${trouble}. Nothing was stored: try again later.`];
}
