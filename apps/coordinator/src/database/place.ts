import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataSource, QueryFailedError } from 'typeorm';
import { z } from 'zod';

/** PostgreSQL's `insufficient_privilege` and `feature_not_supported`. */
const KEPT_FROM_US: ReadonlySet<string> = new Set(['42501', '0A000']);

/** What an operator is told who may not know of it. */
export const DATABASE_MOVED =
  'the database is not where it was, and may be an older one: the next units get ids that no agent has heard of';

/** More units than any installation makes between a backup and the day it is needed. */
const IDS_LEFT_OUT = 2 ** 32;

const sqlState = z.object({ code: z.string() });
const placeRows = z.tuple([z.object({ place: z.string() })]);
const knownRows = z.tuple([z.object({ place: z.string().nullable() })]);

/**
 * Notes where the database lies. One that lies elsewhere than before was restored, and may have gone back in time: agents hold
 * tasks and results of units that it has never heard of. Were their ids given to other units, a result of the one would be taken
 * for a result of the other; so the next units' ids are far behind. What leaves no trace, as going back to a snapshot of a disk does,
 * is the operator's to tell (docs/operating.md).
 *
 * @param embedded what `postgresDirectory` says of a server of our own; null where it is another
 * @returns whether ids were left out
 */
export async function notePlace(dataSource: DataSource, embedded: string | null): Promise<boolean> {
  const place = [await placeOf(dataSource), ...(await whenMade(embedded))].join('/');
  return await note(dataSource, place, (noted) => noted === place);
}

/**
 * The same for whoever runs: a server may go, and a replica that it had told of all but the last units take over from it.
 *
 * @returns whether ids were left out: those that were drawn just before may have been another unit's
 */
export async function noteTakeover(dataSource: DataSource): Promise<boolean> {
  const place = await placeOf(dataSource);
  return await note(dataSource, place, (noted) => `${noted}/`.startsWith(`${place}/`));
}

async function note(
  dataSource: DataSource,
  place: string,
  isSame: (noted: string) => boolean,
): Promise<boolean> {
  const read = 'SELECT place FROM installation';
  const [noted] = knownRows.parse(await dataSource.query(read));
  if (noted.place !== null && isSame(noted.place)) return false;
  return await dataSource.transaction(async (manager) => {
    const [known] = knownRows.parse(await manager.query(`${read} FOR UPDATE`));
    if (known.place !== null && isSame(known.place)) return false;
    await manager.query('UPDATE installation SET place = $1', [place]);
    if (known.place === null) return false;
    await manager.query('SELECT leave_unit_ids_out($1)', [IDS_LEFT_OUT]);
    return true;
  });
}

/**
 * Changes where a dump was read in (the table is another), and where the server was made anew, went back to a moment of its log or was
 * promoted (another timeline).
 */
async function placeOf(dataSource: DataSource): Promise<string> {
  const [{ place }] = placeRows.parse(
    await dataSource.query(
      `SELECT concat_ws('/', d.oid, 'installation'::regclass::oid) AS place FROM pg_database d WHERE d.datname = current_database()`,
    ),
  );
  const [server] = await dataSource
    .query(
      // What is written now says the timeline from the promotion on; the control file says it after the next checkpoint, minutes later.
      `SELECT concat_ws('/', system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer) AS place
         FROM pg_control_system()`,
    )
    .then((rows) => placeRows.parse(rows))
    .catch((error: unknown) => {
      // Some providers keep these from their customers. Any other failure must not look like another place.
      if (isRefused(error)) return [{ place: 'unknown' }];
      throw error;
    });
  return [server?.place, place].join('/');
}

/** When the files of a cluster of our own were made. */
async function whenMade(embedded: string | null): Promise<number[]> {
  return embedded === null ? [] : [(await stat(join(embedded, 'cluster', 'PG_VERSION'))).birthtimeMs];
}

function isRefused(error: unknown): boolean {
  return (
    error instanceof QueryFailedError &&
    KEPT_FROM_US.has(sqlState.safeParse(error.driverError).data?.code ?? '')
  );
}
