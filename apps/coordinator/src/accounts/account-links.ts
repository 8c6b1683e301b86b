import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { foldClaimed, lockBriefly } from '../credit/index.js';
import { DomainError } from '../http/index.js';
import { keepOutOfTeam } from '../teams/index.js';
import { accountDeleted } from './living-account.js';

const memberRows = z.array(z.object({ id: z.string(), person_id: z.string().nullable() }));
const idRows = z.array(z.object({ id: z.string() }));

/**
 * Makes an anonymous account part of its claimer's person: `person_id` of both names the claimer from now on, and boards
 * show one row, and what it earns counts for the claimer's team.
 *
 * @returns ids of everybody who is now one person; empty where they were one before
 * @throws {DomainError} `claimed-already` by somebody else; `server-busy`
 */
export async function linkClaimed(
  manager: EntityManager,
  claimerId: string,
  claimedId: string,
): Promise<string[]> {
  // One after the other: of two who claim the same account the second has to see that the first did.
  await lockBriefly(
    manager,
    "SELECT pg_advisory_xact_lock(hashtext('link-accounts'))",
    'Other work is being claimed, which takes longer than usual.',
  );
  const claimer = await lockAccount(manager, claimerId);
  if (!claimer) throw accountDeleted();
  const claimed = await lockAccount(manager, claimedId);
  if (!claimed) throw notAnonymous();
  const personId = claimer.person_id ?? claimer.id;
  if (claimed.person_id === personId) return [];
  if (claimed.person_id !== null) {
    throw new DomainError('claimed-already', 'Somebody else has claimed this work.', {
      errors: [{ pointer: '/secret', detail: 'is of an account that somebody else has claimed' }],
    });
  }
  await manager.query('UPDATE account SET person_id = $2 WHERE id = ANY($1::bigint[])', [
    [claimerId, claimedId],
    personId,
  ]);
  await foldClaimed(manager, claimedId, personId);
  // Last: while the boards are waited for, credit goes on.
  await keepOutOfTeam(manager, personId, claimedId);
  const members: unknown = await manager.query('SELECT id FROM account WHERE person_id = $1 ORDER BY id', [
    personId,
  ]);
  return idRows.parse(members).map(({ id }) => id);
}

/** No stronger than it must be: a grant of the account's first credit refers to the row. */
async function lockAccount(
  manager: EntityManager,
  accountId: string,
): Promise<z.infer<typeof memberRows>[number] | undefined> {
  const [account] = memberRows.parse(
    await manager.query(
      'SELECT id, person_id FROM account WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
      [accountId],
    ),
  );
  return account;
}

export function notAnonymous(): DomainError {
  return new DomainError('invalid-request', 'Nothing was claimed.', {
    errors: [{ pointer: '/secret', detail: 'is not a valid token of an anonymous account' }],
  });
}
