import type { Party } from '@gleaner/domain';
import { idBounds, plainArray, PreparedStatement } from '../database/index.js';
import type { Volunteers } from './ticket-store.js';

interface VolunteerRow {
  readonly unit_id: string;
  readonly account_id: string;
  readonly person_id: string;
  readonly host_id: string;
  readonly anonymous: boolean;
  readonly network: string | null;
}

const loadVolunteers = new PreparedStatement<VolunteerRow>(
  'load-volunteers',
  `SELECT t.unit_id, t.account_id, coalesce(a.person_id, a.id) AS person_id, t.host_id, t.anonymous, t.network
     FROM unnest($1::bigint[]) AS wanted(id) JOIN task t ON t.unit_id = wanted.id JOIN account a ON a.id = t.account_id
    WHERE t.counts AND t.unit_id BETWEEN $2 AND $3
    ORDER BY t.assigned_at`,
);

/** Who has a counting task of these units, by unit; the units that were begun first come first. */
export async function volunteersOf(
  connection: Parameters<typeof loadVolunteers.run>[0],
  unitIds: readonly number[],
): Promise<Volunteers> {
  const byUnit = new Map<number, Party[]>();
  for (const row of await loadVolunteers.run(connection, [plainArray(unitIds), ...idBounds(unitIds)])) {
    const unitId = Number(row.unit_id);
    const volunteers = byUnit.get(unitId) ?? [];
    const { account_id: accountId, person_id: personId, host_id: hostId, anonymous, network } = row;
    volunteers.push({ accountId, personId, hostId, anonymous, network });
    byUnit.set(unitId, volunteers);
  }
  return byUnit;
}
