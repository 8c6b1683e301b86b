/** The one before does not take infinity for a number, below which all cycles of a board are. */
const OLDEST_SERVER = 14;
const VERSIONS_PER_MAJOR = 10_000;

/** What a server says of itself and of the database, as an SQL selection. */
export const SERVER_FACTS = `SELECT current_setting('server_encoding') AS encoding,
  current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number`;

export interface ServerFacts {
  readonly encoding: string;
  readonly version: string;
  readonly number: number;
}

/** Why nothing is made in such a database; null where it suits. */
export function whyUnsuited({ encoding, version, number }: ServerFacts): string | null {
  if (number < OLDEST_SERVER * VERSIONS_PER_MAJOR)
    return `it is Postgres ${version}, and Gleaner needs ${OLDEST_SERVER} or newer`;
  // In others names of half the world cannot be stored, and in SQL_ASCII those that can are counted and cut by bytes.
  if (encoding !== 'UTF8')
    return `it is encoded in ${encoding}: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`;
  return null;
}
