import type { EntityManager } from 'typeorm';
import { isLockTimeout } from '../database/index.js';
import { DomainError } from '../http/index.js';

const WAITS_AT_MOST_MS = 2000;

/**
 * Takes a lock for the rest of the transaction, or gives up soon: whoever waits has a connection, and others wait for them.
 *
 * @throws {DomainError} `server-busy`
 */
export async function lockBriefly(manager: EntityManager, statement: string, why: string): Promise<void> {
  try {
    // In one message: there is no way back to the coordinator between the lock and what follows.
    await manager.query(
      `SET LOCAL lock_timeout = ${WAITS_AT_MOST_MS}; ${statement}; SET LOCAL lock_timeout TO DEFAULT`,
    );
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw new DomainError('server-busy', `${why} Nothing was stored: try again in a few seconds.`, {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
}
