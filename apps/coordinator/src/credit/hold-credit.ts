import type { EntityManager } from 'typeorm';
import { lockBriefly } from './lock-briefly.js';

/**
 * Waits for the grants that run, and lets others begin only after the transaction; while it waits, all new grants queue behind. A
 * grant is one statement that knows whose person and team an account is from its beginning: each is wholly before what the
 * transaction changes of these, or wholly after it. A lock of a total's row is too late for a grant that has begun and not come
 * to that row. Before rows that grants refer to are locked for update: they would wait for each other.
 *
 * @throws {DomainError} `server-busy` where a grant takes too long to be waited for
 */
export async function holdCredit(manager: EntityManager): Promise<void> {
  await lockBriefly(
    manager,
    'LOCK TABLE account_credit IN SHARE MODE',
    'Credit is being granted and takes longer than usual.',
  );
}
