import type { EntityManager } from 'typeorm';
import { isLockTimeout } from '../database/index.js';
import { DomainError } from '../http/index.js';

/** Whoever waits here holds up all new grants: they queue behind. */
const WAITS_AT_MOST_MS = 2000;

/**
 * Waits for the grants that run, and lets others begin only after the transaction. A grant is one statement that knows whose
 * person and team an account is from its beginning: each is wholly before what the transaction changes of these, or wholly
 * after it. A lock of a total's row is too late for a grant that has begun and not come to that row. Before rows that grants
 * refer to are locked for update: they would wait for each other.
 *
 * @throws {DomainError} `server-busy` where a grant takes too long to be waited for
 */
export async function holdCredit(manager: EntityManager): Promise<void> {
  try {
    // In one message: there is no way back to the coordinator between the lock and what follows.
    await manager.query(
      `SET LOCAL lock_timeout = ${WAITS_AT_MOST_MS};
       LOCK TABLE account_credit IN SHARE MODE;
       SET LOCAL lock_timeout TO DEFAULT`,
    );
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw new DomainError(
      'server-busy',
      'Credit is being granted and takes longer than usual. Nothing was stored: try again in a few seconds.',
      { headers: { 'retry-after': '5' }, cause: error },
    );
  }
}
