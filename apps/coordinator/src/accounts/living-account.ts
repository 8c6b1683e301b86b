import type { EntityManager } from 'typeorm';
import { DomainError } from '../http/index.js';

/**
 * Before an account gets what a deletion would end or refuse to leave behind: one that has begun goes first, a later one waits for the
 * transaction. The lock that the reference to the account takes would not wait: deletions leave that to decisions that pay it.
 */
export async function requireLiving(manager: EntityManager, accountId: string): Promise<void> {
  const found = await manager.query<unknown[]>(
    'SELECT FROM account WHERE id = $1 AND deleted_at IS NULL FOR SHARE',
    [accountId],
  );
  if (found.length === 0) throw accountDeleted();
}

export function accountDeleted(): DomainError {
  return new DomainError('unauthorised', 'The account has been deleted.');
}
