import type { EntityManager } from 'typeorm';
import type { Actor } from '../http/index.js';

/** SQL: the accounts whose hosts belong to account `$1`, its own and the anonymous ones that it claimed. */
export const OWN_ACCOUNTS = 'SELECT id FROM account WHERE id = $1 OR (person_id = $1 AND anonymous)';

/** Whether a host of this account is the caller's to see and to decide about; of a host's own token only itself is. */
export async function isOwnHost(
  manager: EntityManager,
  actor: Actor,
  host: { readonly id: string; readonly accountId: string },
): Promise<boolean> {
  if (actor.hostId !== null) return host.id === actor.hostId;
  if (host.accountId === actor.accountId) return true;
  const claimed: unknown[] = await manager.query(`SELECT FROM (${OWN_ACCOUNTS}) own WHERE id = $2`, [
    actor.accountId,
    host.accountId,
  ]);
  return claimed.length > 0;
}
