import { Inject, Injectable } from '@nestjs/common';
import { SCOPES, type Account, type Session, type SignIn, type SignUp } from '@gleaner/protocol';
import { DataSource, type EntityManager } from 'typeorm';
import {
  accountDeleted,
  AccountEntity,
  AccountsService,
  ApiTokenEntity,
  insertAccount,
  insertToken,
  LastingChanges,
  requireLiving,
} from '../accounts/index.js';
import { AuditLog } from '../audit/index.js';
import { CONFIG, type Config } from '../config/index.js';
import {
  DomainError,
  drawSecret,
  RateLimiter,
  SESSION_SECONDS,
  TokenDirectory,
  type Actor,
} from '../http/index.js';
import { AccountIdentityEntity } from './account-identity.entity.js';
import { IdentityUserEntity } from './identity-user.entity.js';
import { Passwords, type ProvenPerson } from './passwords.service.js';
import { limitTries, TRIES_PER_ADDRESS_AND_HOUR } from './tries.js';

const HOUR_MS = 3_600_000;

export interface OpenedSession {
  readonly account: Account;
  /** For the browser's cookie. */
  readonly secret: string;
}

/** Exchanges a password, or a token, for a session of a browser: a token of ours like any other, kept as a hash. */
@Injectable()
export class SignInService {
  private readonly byNetwork: RateLimiter;
  private readonly byAddress = new RateLimiter(TRIES_PER_ADDRESS_AND_HOUR, HOUR_MS);
  /** Apart from guesses: whoever asks for codes in somebody's name does not lock them out. */
  private readonly resetsByAddress = new RateLimiter(TRIES_PER_ADDRESS_AND_HOUR, HOUR_MS);

  constructor(
    private readonly dataSource: DataSource,
    private readonly passwords: Passwords,
    private readonly accounts: AccountsService,
    private readonly audit: AuditLog,
    private readonly tokens: TokenDirectory,
    private readonly changes: LastingChanges,
    @Inject(CONFIG) config: Config,
  ) {
    this.byNetwork = new RateLimiter(config.signInsPerHour, HOUR_MS);
  }

  async signUp(facts: SignUp, network: string, browser: string): Promise<OpenedSession> {
    limitTries(this.byNetwork, network);
    return await this.openFor(await this.passwords.register(facts), browser);
  }

  async signIn(proof: SignIn, network: string, browser: string): Promise<OpenedSession> {
    limitTries(this.byNetwork, network);
    limitTries(this.byAddress, proof.email.toLowerCase());
    return await this.openFor(await this.passwords.verify(proof), browser);
  }

  /** For people without a password, such as the first operator: the session may do what the token may. */
  async signInWithToken(actor: Actor, browser: string): Promise<OpenedSession> {
    if (actor.hostId !== null) {
      throw new DomainError('forbidden', 'The token of a host can only work: sign in with one of yours.');
    }
    this.changes.take(actor, 'others');
    const secret = await this.dataSource.transaction((manager) =>
      openSession(manager, actor.accountId, actor.scopes, browser),
    );
    return { account: await this.accounts.get(actor.accountId), secret };
  }

  async signOut(actor: Actor | null): Promise<void> {
    if (!actor) return;
    await this.dataSource.manager.update(
      ApiTokenEntity,
      { id: actor.tokenId, session: true },
      { revokedAt: () => 'now()' },
    );
    this.tokens.forgetAll();
  }

  async sessionOf(actor: Actor | null): Promise<Session> {
    if (actor === null || actor.hostId !== null) return { account: null, email: null };
    const account = await this.accounts.get(actor.accountId);
    const user = await this.dataSource
      .createQueryBuilder(IdentityUserEntity, 'u')
      .innerJoin(AccountIdentityEntity, 'i', 'i.userId = u.id')
      .where('i.accountId = :accountId', actor)
      .getOne();
    return { account, email: user?.email ?? null };
  }

  requestReset(email: string, network: string): void {
    limitTries(this.byNetwork, network);
    limitTries(this.resetsByAddress, email.toLowerCase());
    this.passwords.requestReset(email);
  }

  /** Whoever was signed in with the old password is not any longer. Other tokens and hosts go on. */
  async resetPassword(code: string, password: string, network: string): Promise<void> {
    limitTries(this.byNetwork, network);
    const userId = await this.passwords.useResetCode(code);
    const hash = await this.passwords.hash(password);
    await this.dataSource.transaction(async (manager) => {
      await this.passwords.set(manager, userId, hash);
      const identity = await manager.findOneBy(AccountIdentityEntity, { userId });
      if (!identity) return;
      const { accountId } = identity;
      await manager.update(ApiTokenEntity, { accountId, session: true }, { revokedAt: () => 'now()' });
      await this.audit.record(manager, {
        accountId,
        action: 'account.reset-password',
        subject: `account ${accountId}`,
      });
    });
    this.tokens.forgetAll();
  }

  private async openFor(person: ProvenPerson, browser: string): Promise<OpenedSession> {
    const opened = await this.dataSource.transaction(async (manager) => {
      const account = await this.accountOf(manager, person);
      const scopes = SCOPES.filter((scope) => scope !== 'operate' || account.operator);
      return { id: account.id, secret: await openSession(manager, account.id, scopes, browser) };
    });
    return { account: await this.accounts.get(opened.id), secret: opened.secret };
  }

  /** Their account; made now if it is their first time, or if the coordinator stopped between the two the time before. */
  private async accountOf(manager: EntityManager, { userId, name }: ProvenPerson): Promise<AccountEntity> {
    const known = await this.findAccount(manager, userId);
    // Nothing of the person is locked: a deletion holds the account before it comes to them.
    if (known) return known;
    const user = await manager.findOne(IdentityUserEntity, {
      where: { id: userId },
      lock: { mode: 'pessimistic_write' },
    });
    if (!user) throw accountDeleted();
    const madeMeanwhile = await this.findAccount(manager, userId);
    if (madeMeanwhile) return madeMeanwhile;
    const account = await insertAccount(manager, { name, operator: false, anonymous: false });
    await manager.insert(AccountIdentityEntity, { accountId: account.id, userId });
    await this.audit.record(manager, {
      accountId: account.id,
      action: 'account.sign-up',
      subject: `account ${account.id}`,
    });
    return account;
  }

  private async findAccount(manager: EntityManager, userId: string): Promise<AccountEntity | null> {
    const identity = await manager.findOneBy(AccountIdentityEntity, { userId });
    return identity && (await manager.findOneByOrFail(AccountEntity, { id: identity.accountId }));
  }
}

async function openSession(
  manager: EntityManager,
  accountId: string,
  scopes: Actor['scopes'],
  browser: string,
): Promise<string> {
  await requireLiving(manager, accountId);
  const secret = drawSecret();
  await insertToken(manager, {
    accountId,
    hostId: null,
    secret,
    label: browser,
    scopes,
    expiresAt: new Date(Date.now() + SESSION_SECONDS * 1000).toISOString(),
    session: true,
  });
  return secret;
}
