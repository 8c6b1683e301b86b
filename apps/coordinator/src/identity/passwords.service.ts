import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { betterAuth } from 'better-auth';
import { APIError } from 'better-auth/api';
import { DataSource, type EntityManager } from 'typeorm';
import { accountDeleted } from '../accounts/index.js';
import { CONFIG, type Config } from '../config/index.js';
import { isUniqueViolation, masterPool } from '../database/index.js';
import { DomainError, InvalidRequestError } from '../http/index.js';
import { LOGGER, type Logger } from '../telemetry/index.js';
import { betterAuthOptions } from './better-auth-options.js';
import { IdentityCredentialEntity } from './identity-credential.entity.js';
import { IdentityUserEntity } from './identity-user.entity.js';
import { MAIL, type Mail } from './mail.js';

const EMAIL_CHANGE = 'change-email:';
const CODE_BYTES = 18;
const CODE_EXPIRES_MS = 60 * 60 * 1000;

/** Whom an account's password and address belong to. */
export type ProvenUser = Pick<ProvenPerson, 'userId' | 'email'>;

/** Somebody who has just proved who they are. */
export interface ProvenPerson {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
}

/** E-mail addresses and passwords. The only place that knows better-auth. */
@Injectable()
export class Passwords {
  private readonly auth;

  constructor(
    dataSource: DataSource,
    @Inject(MAIL) private readonly mail: Mail,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.auth = betterAuth({
      ...betterAuthOptions((to, code) => this.sendReset(to, code)),
      database: masterPool(dataSource),
    });
  }

  /** @throws {DomainError} `already-exists` */
  async register(facts: { name: string; email: string; password: string }): Promise<ProvenPerson> {
    try {
      return await this.exchange(await this.auth.api.signUpEmail({ body: facts }));
    } catch (error) {
      // Two tabs that register the same address at the same moment: one of them cannot create it.
      if (!refusedWith(error, 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL', 'FAILED_TO_CREATE_USER')) throw error;
      throw new DomainError('already-exists', 'Somebody has signed up with this e-mail address already.', {
        errors: [{ pointer: '/email', detail: 'has an account: sign in, or reset its password' }],
      });
    }
  }

  /** @throws {DomainError} `unauthorised`, the same whichever of the two is wrong */
  async verify(proof: { email: string; password: string }): Promise<ProvenPerson> {
    try {
      return await this.signIn(proof);
    } catch (error) {
      if (!refusedWith(error, 'INVALID_EMAIL_OR_PASSWORD')) throw error;
      throw new DomainError('unauthorised', 'The e-mail address or the password is wrong.');
    }
  }

  /** Mails a code if anybody has this address. Never waits for that, or the time it takes would tell. */
  requestReset(email: string): void {
    this.auth.api.requestPasswordReset({ body: { email } }).catch((error: unknown) => {
      this.logger.error({ event: 'reset-not-sent', err: error });
    });
  }

  /** Uses up the code. @returns whose password may be {@link set} with it */
  async useResetCode(code: string): Promise<string> {
    const { internalAdapter } = await this.auth.$context;
    const used = await internalAdapter.consumeVerificationValue(`reset-password:${code}`);
    if (!used) throw invalidCode();
    return used.value;
  }

  /** @throws {DomainError} unless this is the person's password */
  async confirm(email: string, current: string): Promise<ProvenPerson> {
    try {
      return await this.signIn({ email, password: current });
    } catch (error) {
      if (!refusedWith(error, 'INVALID_EMAIL_OR_PASSWORD')) throw error;
      throw new InvalidRequestError(
        [{ pointer: '/current', detail: 'is not your password' }],
        'The current password is wrong.',
      );
    }
  }

  /** Takes its time, and needs no connection meanwhile. */
  async hash(password: string): Promise<string> {
    const { password: hasher } = await this.auth.$context;
    return await hasher.hash(password);
  }

  /** Within the transaction that ends what the old password has opened. */
  async set(manager: EntityManager, userId: string, hash: string): Promise<void> {
    const { affected } = await manager.update(
      IdentityCredentialEntity,
      { userId, providerId: 'credential' },
      { password: hash, updatedAt: () => 'now()' },
    );
    if (affected !== 1) throw accountDeleted();
    await forgetCodes(manager, userId);
  }

  /** Mails a code to the address that somebody wants to have. @throws {DomainError} `already-exists` */
  async requestEmailChange(userId: string, email: string): Promise<void> {
    const { internalAdapter } = await this.auth.$context;
    if (await internalAdapter.findUserByEmail(email)) throw addressTaken();
    const code = randomBytes(CODE_BYTES).toString('base64url');
    await internalAdapter.createVerificationValue({
      identifier: EMAIL_CHANGE + code,
      // What deleting an account looks for: nothing of a person outlives it here.
      value: `${userId} ${email.toLowerCase()}`,
      expiresAt: new Date(Date.now() + CODE_EXPIRES_MS),
    });
    const text = `Somebody, perhaps you, wants to use this address at ${this.config.name}.\n\nEnter this code in your account's settings:\n\n  ${code}\n\nIt works once, for an hour. If it was not you, nothing needs to be done.`;
    await this.mail.send({ to: email, subject: 'Confirm your new address', text });
  }

  /** Uses up the code. @returns the address that it came to; throws where the code is not this person's */
  async useEmailCode(userId: string, code: string): Promise<string> {
    const { internalAdapter } = await this.auth.$context;
    const [owner, email] =
      (await internalAdapter.consumeVerificationValue(EMAIL_CHANGE + code))?.value.split(' ') ?? [];
    if (owner !== userId || email === undefined) throw invalidCode();
    if (await internalAdapter.findUserByEmail(email)) throw addressTaken();
    return email;
  }

  /** Within the transaction that ends what the old address has opened. @throws {DomainError} `already-exists` */
  async setEmail(manager: EntityManager, userId: string, email: string): Promise<void> {
    try {
      await manager.update(IdentityUserEntity, { id: userId }, { email, updatedAt: () => 'now()' });
    } catch (error) {
      // Somebody has taken it since it was looked for.
      if (isUniqueViolation(error, 'identity_user_email')) throw addressTaken();
      throw error;
    }
    await forgetCodes(manager, userId);
  }

  /** To be called once it has happened. */
  tellFormerAddress(from: string, email: string): void {
    const text = `Your address at ${this.config.name} is ${email} now.\n\nIf it was not you who changed it, write to the operator: ${this.config.operatorContact || this.config.operatorName}.`;
    // Whether or not it still takes mail.
    this.mail.send({ to: from, subject: 'Your address was changed', text }).catch((error: unknown) => {
      this.logger.error({ event: 'notice-not-sent', err: error });
    });
  }

  private async signIn(body: { email: string; password: string }): Promise<ProvenPerson> {
    try {
      return await this.exchange(await this.auth.api.signInEmail({ body }));
    } catch (error) {
      // Their session waited for the deletion, and then belonged to nobody.
      if (isOf(error, 'identity_session_user')) throw accountDeleted();
      throw error;
    }
  }

  /** The session that better-auth opened is not needed: its token is stored as it is, ours are stored as hashes. */
  private async exchange({
    token,
    user,
  }: {
    readonly token: string | null;
    readonly user: { readonly id: string; readonly name: string; readonly email: string };
  }): Promise<ProvenPerson> {
    if (token !== null) await (await this.auth.$context).internalAdapter.deleteSession(token);
    return { userId: user.id, name: user.name, email: user.email };
  }

  private async sendReset(to: string, code: string): Promise<void> {
    const { name, publicUrl } = this.config;
    // A link is only made of an address that the operator has set: the request's own could be an attacker's.
    const how =
      publicUrl === null
        ? `Open the page "Sign in" of ${name}, choose "I have a code", and enter this code:\n\n  ${code}`
        : `Open this page:\n\n  ${publicUrl}/sign-in?mode=reset&code=${encodeURIComponent(code)}`;
    const text = `Somebody, perhaps you, wants to set a new password at ${name}.\n\n${how}\n\nIt works once, for an hour. If it was not you, nothing needs to be done.`;
    await this.mail.send({ to, subject: 'Set a new password', text });
  }
}

/** Codes that were mailed before may be in the very hands that a password or an address is changed for. */
async function forgetCodes(manager: EntityManager, userId: string): Promise<void> {
  await manager.query("DELETE FROM identity_verification WHERE split_part(value, ' ', 1) = $1", [userId]);
}

function addressTaken(): DomainError {
  return new DomainError('already-exists', 'Somebody has signed up with this e-mail address already.', {
    errors: [{ pointer: '/email', detail: 'has an account' }],
  });
}

function invalidCode(): DomainError {
  return new InvalidRequestError(
    [{ pointer: '/code', detail: 'is unknown, used or older than an hour' }],
    'The code is not valid any longer: ask for a new one.',
  );
}

/** Whether Postgres told that this constraint would not hold. */
function isOf(error: unknown, constraint: string): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === constraint;
}

function refusedWith(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof APIError && typeof error.body?.code === 'string' && codes.includes(error.body.code);
}
