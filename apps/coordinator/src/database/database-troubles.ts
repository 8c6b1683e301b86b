/**
 * What a server answers with that is not well: by SQLSTATE, or by the class that begins it. It passes, or is its operator's to mend.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const TROUBLES: Readonly<Record<string, string>> = {
  // While another server takes over, for maintenance, or because its provider has seen that the disk is nearly full.
  '25006': 'it is read-only',
  '53': 'it has reached one of its limits',
  '53100': 'its disk is full',
  '53200': 'it is out of memory',
  '58': 'it cannot use its files',
};

/** PostgreSQL's `read_only_sql_transaction`. */
export const READ_ONLY = '25006';

const SQLSTATE = /^[0-9A-Z]{5}$/;
const CLASS_LENGTH = 2;

/** What a table of SQLSTATEs and classes of them has for a code; undefined also where that is no SQLSTATE. */
export function bySqlState<T>(table: Readonly<Record<string, T>>, code: string): T | undefined {
  return SQLSTATE.test(code) ? (table[code] ?? table[code.slice(0, CLASS_LENGTH)]) : undefined;
}

/** What is wrong with a server that answers with this SQLSTATE; undefined where nothing is. */
export function databaseTrouble(code: string): string | undefined {
  return bySqlState(TROUBLES, code);
}
