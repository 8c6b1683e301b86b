import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataSource, QueryFailedError } from 'typeorm';
import { z } from 'zod';

/** PostgreSQL's `insufficient_privilege`. */
const INSUFFICIENT_PRIVILEGE = '42501';

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
  const place = await placeOf(dataSource, embedded);
  return await dataSource.transaction(async (manager) => {
    const [known] = knownRows.parse(await manager.query('SELECT place FROM installation FOR UPDATE'));
    if (known.place === place) return false;
    await manager.query('UPDATE installation SET place = $1', [place]);
    if (known.place === null) return false;
    await manager.query('SELECT leave_unit_ids_out($1)', [IDS_LEFT_OUT]);
    return true;
  });
}

/**
 * Changes where a dump was read in (the table is another), where the server was made anew, went back to a moment of its log or was
 * promoted (another timeline), and where the embedded cluster's files were copied.
 */
async function placeOf(dataSource: DataSource, embedded: string | null): Promise<string> {
  const [{ place }] = placeRows.parse(
    await dataSource.query(
      `SELECT concat_ws('/', d.oid, 'installation'::regclass::oid) AS place FROM pg_database d WHERE d.datname = current_database()`,
    ),
  );
  const [server] = await dataSource
    .query(
      `SELECT concat_ws('/', system_identifier, timeline_id) AS place FROM pg_control_system(), pg_control_checkpoint()`,
    )
    .then((rows) => placeRows.parse(rows))
    .catch((error: unknown) => {
      // Some providers keep these from their customers. Any other failure must not look like another place.
      if (isRefused(error)) return [{ place: 'unknown' }];
      throw error;
    });
  const made = embedded === null ? [] : [(await stat(join(embedded, 'cluster', 'PG_VERSION'))).birthtimeMs];
  return [server?.place, place, ...made].join('/');
}

function isRefused(error: unknown): boolean {
  return (
    error instanceof QueryFailedError &&
    sqlState.safeParse(error.driverError).data?.code === INSUFFICIENT_PRIVILEGE
  );
}
