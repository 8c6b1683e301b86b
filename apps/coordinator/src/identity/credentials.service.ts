import { Inject, Injectable } from '@nestjs/common';
import { DataSource, Not, type EntityManager } from 'typeorm';
import { ApiTokenEntity } from '../accounts/index.js';
import { AuditLog, type AuditRecord } from '../audit/index.js';
import { CONFIG, type Config } from '../config/index.js';
import { DomainError, RateLimiter, TokenDirectory, type Actor } from '../http/index.js';
import { AccountIdentityEntity } from './account-identity.entity.js';
import { IdentityUserEntity } from './identity-user.entity.js';
import { Passwords, type ProvenUser } from './passwords.service.js';
import { limitTries, TRIES_PER_ADDRESS_AND_HOUR } from './tries.js';

const HOUR_MS = 3_600_000;

/** What people who have signed in change about how they do that. A session alone is not enough: it may be somebody else's hand. */
@Injectable()
export class CredentialsService {
  private readonly byNetwork: RateLimiter;
  private readonly byAccount = new RateLimiter(TRIES_PER_ADDRESS_AND_HOUR, HOUR_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly passwords: Passwords,
    private readonly audit: AuditLog,
    private readonly tokens: TokenDirectory,
    @Inject(CONFIG) config: Config,
  ) {
    this.byNetwork = new RateLimiter(config.signInsPerHour, HOUR_MS);
  }

  /** Whoever else is signed in with the old password is not any longer. Other tokens and hosts go on. */
  async changePassword(actor: Actor, current: string, password: string, network: string): Promise<void> {
    const { userId } = await this.proven(actor, current, network);
    const hash = await this.passwords.hash(password);
    await this.change(actor, 'account.change-password', (manager) =>
      this.passwords.set(manager, userId, hash),
    );
  }

  async requestEmailChange(actor: Actor, current: string, email: string, network: string): Promise<void> {
    const user = await this.proven(actor, current, network);
    await this.passwords.requestEmailChange(user.userId, email);
  }

  /** @returns the new address */
  async changeEmail(actor: Actor, code: string, network: string): Promise<string> {
    this.limit(actor, network);
    const { userId, email: from } = await this.userOf(actor);
    const email = await this.passwords.useEmailCode(userId, code);
    await this.change(actor, 'account.change-email', (manager) =>
      this.passwords.setEmail(manager, userId, email),
    );
    this.passwords.tellFormerAddress(from, email);
    return email;
  }

  private async proven(actor: Actor, current: string, network: string): Promise<ProvenUser> {
    this.limit(actor, network);
    const { email } = await this.userOf(actor);
    return await this.passwords.confirm(email, current);
  }

  private limit(actor: Actor, network: string): void {
    limitTries(this.byNetwork, network);
    limitTries(this.byAccount, actor.accountId);
  }

  private async userOf(actor: Actor): Promise<ProvenUser> {
    if (actor.hostId !== null) {
      throw new DomainError('forbidden', 'That needs a person who has signed in, not the token of a host.');
    }
    const user = await this.dataSource
      .createQueryBuilder(IdentityUserEntity, 'u')
      .innerJoin(AccountIdentityEntity, 'i', 'i.userId = u.id')
      .where('i.accountId = :accountId', { accountId: actor.accountId })
      .getOne();
    if (!user) {
      throw new DomainError('wrong-state', 'This account has no password: it is used with tokens alone.');
    }
    return { userId: user.id, email: user.email };
  }

  /** Together with the end of the other sessions: they may be what the change is made for. */
  private async change(
    { accountId, tokenId }: Actor,
    action: AuditRecord['action'],
    work: (manager: EntityManager) => Promise<void>,
  ): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await work(manager);
      await manager.update(
        ApiTokenEntity,
        { accountId, session: true, id: Not(tokenId) },
        { revokedAt: () => 'coalesce(revoked_at, now())' },
      );
      await this.audit.record(manager, { accountId, action, subject: `account ${accountId}` });
    });
    this.tokens.forgetAll();
  }
}
