import { Injectable } from '@nestjs/common';
import { lackingScopes } from '@gleaner/domain';
import { DELETED_NAME, scope, type Account } from '@gleaner/protocol';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { accountDeleted, AccountEntity, AccountsService, LastingChanges } from '../accounts/index.js';
import { AuditLog } from '../audit/index.js';
import { forgetGrants } from '../blobs/index.js';
import { renameOnBoards, takeBoard } from '../credit/index.js';
import { HostEvents } from '../hosts/index.js';
import { DomainError, InvalidRequestError, TokenDirectory, type Actor } from '../http/index.js';
import { TeamsService } from '../teams/index.js';

const DELETED_HOST_NAME = 'deleted machine';
const idRows = z.array(z.object({ id: z.string() }));
const scopeRows = z.array(z.object({ scope }));

/** What people do with their own account as a whole. */
@Injectable()
export class MyAccountService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    private readonly audit: AuditLog,
    private readonly hostEvents: HostEvents,
    private readonly teams: TeamsService,
    private readonly changes: LastingChanges,
    private readonly tokens: TokenDirectory,
  ) {}

  async rename(actor: Actor, name: string): Promise<Account> {
    requirePerson(actor);
    this.changes.take(actor, 'others');
    await this.dataSource.transaction(async (manager) => {
      const living = { id: actor.accountId, deletedAt: IsNull() };
      const { affected } = await manager.update(AccountEntity, living, { name });
      if (affected !== 1) throw accountDeleted();
      await renameOnBoards(manager, 'accounts', [actor.accountId], name);
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'account.rename',
        subject: `account ${actor.accountId}`,
      });
    });
    return await this.accounts.get(actor.accountId);
  }

  /**
   * Leaves a tombstone: the ledger's entries, totals and who counts as one person stay, so that boards add up and nobody
   * votes twice by coming back; whatever tells who it was goes, of claimed anonymous accounts as well.
   *
   * @param name as the account is called, so that nobody deletes the wrong one
   */
  async delete(actor: Actor, name: string): Promise<void> {
    requirePerson(actor);
    const follow = await this.dataSource.transaction(async (manager) => {
      // No stronger: a decision that pays the account for the first time refers to its row, and holds tasks that are returned here.
      const account = await manager.findOneOrFail(AccountEntity, {
        where: { id: actor.accountId },
        lock: { mode: 'for_no_key_update' },
      });
      if (account.deletedAt !== null) throw accountDeleted();
      if (name.trim() !== account.name) {
        throw new InvalidRequestError([{ pointer: '/name', detail: 'is not the name of this account' }]);
      }
      await refuseLesserToken(manager, actor, account);
      await refuseWhileNeeded(manager, account);
      const accountIds = await accountsOf(manager, account);
      await this.teams.leaveForGood(manager, actor.accountId);
      const following = await this.forgetHosts(manager, accountIds);
      await forgetPerson(manager, accountIds);
      await this.audit.record(manager, {
        accountId: account.id,
        action: 'account.delete',
        subject: `account ${account.id}`,
      });
      return following;
    });
    follow();
    this.tokens.forgetAll();
  }

  /** @returns to be called after the commit */
  private async forgetHosts(manager: EntityManager, accountIds: readonly string[]): Promise<() => void> {
    const hosts = idRows.parse(
      await manager.query('SELECT id FROM host WHERE account_id = ANY($1::bigint[]) ORDER BY id FOR UPDATE', [
        accountIds,
      ]),
    );
    const hostIds = hosts.map(({ id }) => id);
    // Names are removed from them at the end; by then there are tasks in hand.
    for (const kind of ['hosts', 'accounts'] as const) await takeBoard(manager, kind);
    const following = await this.hostEvents.emitDetached(manager, hostIds);
    await manager.query(
      `UPDATE host SET name = $2, platform = 'unknown', agent_version = 'unknown', network = NULL, held_reason = NULL,
              wished_preferences = NULL, said_phase = NULL, said_reason = NULL, said_at = NULL, detached_at = coalesce(detached_at, now())
        WHERE id = ANY($1::bigint[])`,
      [hostIds, DELETED_HOST_NAME],
    );
    await renameOnBoards(manager, 'hosts', hostIds, DELETED_HOST_NAME);
    return following;
  }
}

function requirePerson(actor: Actor): void {
  if (actor.hostId !== null || actor.anonymous) {
    throw new DomainError('forbidden', 'That needs a person who has signed in, not the token of a host.');
  }
}

/** Deleting ends every token, and what a password opens: a script's token to attach machines with is not enough for that. */
async function refuseLesserToken(
  manager: EntityManager,
  actor: Actor,
  account: AccountEntity,
): Promise<void> {
  const rights = scopeRows.parse(
    await manager.query(
      `SELECT DISTINCT unnest(scopes) AS scope FROM api_token
        WHERE account_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
       UNION SELECT unnest('{work,submit}'::text[]) FROM account_identity WHERE account_id = $1
       UNION SELECT 'operate' WHERE $2`,
      [account.id, account.operator],
    ),
  );
  const missing = lackingScopes(
    actor.scopes,
    rights.map((row) => row.scope),
  );
  if (missing.length === 0) return;
  throw new DomainError(
    'forbidden',
    `Deleting the account needs a token that may do all that its others may: this one lacks ${missing.join(', ')}.`,
  );
}

/** The account, and the anonymous ones that it has claimed. */
async function accountsOf(manager: EntityManager, account: AccountEntity): Promise<string[]> {
  if (account.personId === null) return [account.id];
  const claimed = idRows.parse(
    await manager.query(
      'SELECT id FROM account WHERE person_id = $1 AND anonymous AND id <> $2 ORDER BY id FOR NO KEY UPDATE',
      [account.personId, account.id],
    ),
  );
  return [account.id, ...claimed.map(({ id }) => id)];
}

async function refuseWhileNeeded(manager: EntityManager, account: AccountEntity): Promise<void> {
  const jobs = idRows.parse(
    await manager.query(
      `SELECT id FROM job WHERE account_id = $1 AND deleted_at IS NULL
          AND state IN ('splitting', 'running', 'paused', 'assimilating') LIMIT 1`,
      [account.id],
    ),
  );
  if (jobs.length > 0) {
    throw new DomainError('wrong-state', 'Jobs of yours have not ended: cancel them, or wait for them.');
  }
  if (!account.operator) return;
  // Of two operators who delete their accounts at the same moment the second sees that the first has.
  await manager.query("SELECT pg_advisory_xact_lock(hashtext('last operator'))");
  const others = idRows.parse(
    await manager.query('SELECT id FROM account WHERE operator AND deleted_at IS NULL AND id <> $1 LIMIT 1', [
      account.id,
    ]),
  );
  if (others.length === 0) {
    throw new DomainError('wrong-state', 'You are the only operator: make another one first.');
  }
}

async function forgetPerson(manager: EntityManager, accountIds: readonly string[]): Promise<void> {
  await manager.query(
    'UPDATE account SET name = $2, operator = false, deleted_at = now() WHERE id = ANY($1::bigint[])',
    [accountIds, DELETED_NAME],
  );
  await renameOnBoards(manager, 'accounts', accountIds, DELETED_NAME);
  for (const statement of [
    `DELETE FROM identity_verification WHERE split_part(value, ' ', 1) IN
       (SELECT user_id FROM account_identity WHERE account_id = ANY($1::bigint[]))`,
    `DELETE FROM identity_user WHERE id IN
       (SELECT user_id FROM account_identity WHERE account_id = ANY($1::bigint[]))`,
    'DELETE FROM api_token WHERE account_id = ANY($1::bigint[])',
    'DELETE FROM device_code WHERE account_id = ANY($1::bigint[])',
    // These subjects name machines as their owner called them.
    `UPDATE audit_entry SET subject = 'host (deleted)'
      WHERE account_id = ANY($1::bigint[]) AND action IN ('device.approve', 'device.deny')`,
  ]) {
    await manager.query(statement, [accountIds]);
  }
  await forgetGrants(manager, accountIds, null);
}
