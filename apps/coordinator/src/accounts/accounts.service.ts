import { Injectable } from '@nestjs/common';
import type { Account } from '@gleaner/protocol';
import { DataSource, LessThan, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { AuditLog } from '../audit/index.js';
import {
  DomainError,
  idFromCursor,
  NotFoundError,
  TokenDirectory,
  toPage,
  type Actor,
  type Page,
} from '../http/index.js';
import { AccountEvents } from './account-events.js';
import { linkClaimed, notAnonymous } from './account-links.js';
import { AccountEntity } from './account.entity.js';

const creditRows = z.array(z.object({ account_id: z.string(), cycles: z.string() }));

@Injectable()
export class AccountsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
    private readonly events: AccountEvents,
    private readonly tokens: TokenDirectory,
  ) {}

  async create(actor: Actor, facts: { name: string; operator: boolean }): Promise<Account> {
    return await this.dataSource.transaction(async (manager) => {
      const account = await insertAccount(manager, { ...facts, anonymous: false });
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'account.create',
        subject: `account ${account.id}`,
        detail: { operator: facts.operator },
      });
      return present(account, '0');
    });
  }

  async get(accountId: string): Promise<Account> {
    const account = await this.dataSource.manager.findOneBy(AccountEntity, { id: accountId });
    if (!account || account.deletedAt !== null) throw new NotFoundError(`account ${accountId}`);
    const credit = await this.creditOf([accountId]);
    return present(account, credit.get(accountId) ?? '0');
  }

  async list(cursor: string | undefined, limit: number): Promise<Page<Account>> {
    const accounts = await this.dataSource.manager.find(AccountEntity, {
      where: { id: LessThan(idFromCursor(cursor)) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    const credit = await this.creditOf(accounts.map(({ id }) => id));
    return toPage(
      accounts,
      limit,
      (account) => present(account, credit.get(account.id) ?? '0'),
      ({ id }) => [id],
    );
  }

  /**
   * Makes the anonymous account behind `secret` one person with the caller. Tasks and ledger keep their accounts; from
   * now on none of them counts as independent of the others, its machines are the caller's, and what it earned is added to
   * what the caller did. Repeating it changes nothing.
   */
  async claim(actor: Actor, secret: string): Promise<Account> {
    if (actor.hostId !== null) {
      throw new DomainError(
        'forbidden',
        'The token of a host can only work: claim with a token of your account.',
      );
    }
    if (actor.anonymous)
      throw new DomainError('forbidden', 'Sign in with an account of yours to claim anonymous work.');
    const claimed = await this.tokens.find(secret);
    if (!claimed?.anonymous) throw notAnonymous();
    await this.dataSource.transaction(async (manager) => {
      const linked = await linkClaimed(manager, actor.accountId, claimed.accountId);
      if (linked.length === 0) return;
      await this.events.emitLinked(manager, linked);
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'account.claim',
        subject: `account ${claimed.accountId}`,
        detail: { linked },
      });
    });
    return await this.get(actor.accountId);
  }

  /** What the person of each account has earned, whichever of their accounts did. */
  private async creditOf(accountIds: readonly string[]): Promise<Map<string, string>> {
    const rows: unknown = await this.dataSource.query(
      `SELECT a.id AS account_id, trunc(coalesce(sum(c.cycles), 0))::text AS cycles
         FROM account a JOIN account own ON own.id = a.id OR own.person_id = a.person_id
         JOIN account_credit c ON c.account_id = own.id WHERE a.id = ANY($1::bigint[]) GROUP BY a.id`,
      [accountIds],
    );
    return new Map(creditRows.parse(rows).map((row) => [row.account_id, row.cycles]));
  }
}

export async function insertAccount(
  manager: EntityManager,
  facts: { name: string; operator: boolean; anonymous: boolean },
): Promise<AccountEntity> {
  return await manager.save(AccountEntity, { ...facts, personId: null, deletedAt: null });
}

function present(account: AccountEntity, credit: string): Account {
  return {
    id: account.id,
    name: account.name,
    anonymous: account.anonymous,
    operator: account.operator,
    createdAt: account.createdAt.toISOString(),
    credit,
  };
}
