import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { DomainError } from '../http/index.js';

/** Machines of one account; some more where several are attached at the same moment. */
const ATTACHED_HOSTS_MAX = 10_000;

const countRows = z.tuple([z.object({ count: z.coerce.number() })]);

/** @throws {DomainError} `conflict` where the account has as many machines as it may, other than an operator's */
export async function requireFewHosts(manager: EntityManager, accountId: string): Promise<void> {
  const [row] = countRows.parse(
    await manager.query(
      `SELECT count(*) AS count FROM (
         SELECT FROM host WHERE account_id = $1 AND detached_at IS NULL
            AND NOT (SELECT operator FROM account WHERE id = $1) LIMIT ${ATTACHED_HOSTS_MAX}) attached`,
      [accountId],
    ),
  );
  if (row.count < ATTACHED_HOSTS_MAX) return;
  throw new DomainError(
    'conflict',
    `${ATTACHED_HOSTS_MAX} machines are attached to the account: detach those that are gone, or use another account.`,
  );
}
