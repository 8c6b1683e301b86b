import { Injectable } from '@nestjs/common';
import { lackingScopes } from '@gleaner/domain';
import type { CreatedToken, Scope, Token } from '@gleaner/protocol';
import { DataSource, LessThan, type EntityManager } from 'typeorm';
import { AuditLog } from '../audit/index.js';
import {
  DomainError,
  drawSecret,
  hashSecret,
  idFromCursor,
  InvalidRequestError,
  NotFoundError,
  TokenDirectory,
  toPage,
  type Actor,
  type Page,
} from '../http/index.js';
import { AccountEvents } from './account-events.js';
import { AccountEntity } from './account.entity.js';
import { ApiTokenEntity } from './api-token.entity.js';
import { LastingChanges } from './lasting-changes.js';

/** Of one account, besides those of its machines and browsers. */
const LIVING_TOKENS_MAX = 1000;

export interface TokenFacts {
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: string | undefined;
}

@Injectable()
export class TokensService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly audit: AuditLog,
    private readonly directory: TokenDirectory,
    private readonly events: AccountEvents,
    private readonly changes: LastingChanges,
  ) {}

  /** For the caller's own account; operators also for others. A token never gives more than its maker may do. */
  async create(actor: Actor, accountId: string, facts: TokenFacts): Promise<CreatedToken> {
    if (actor.hostId !== null) throw new DomainError('forbidden', 'The token of a host cannot make tokens.');
    const missing = actor.operator ? [] : lackingScopes(actor.scopes, facts.scopes);
    if (missing.length > 0) {
      throw new DomainError('forbidden', 'A token cannot give what its maker may not do.', {
        errors: [{ pointer: '/scopes', detail: `this token lacks: ${missing.join(', ')}` }],
      });
    }
    if (facts.expiresAt !== undefined && Date.parse(facts.expiresAt) <= Date.now()) {
      throw new InvalidRequestError([{ pointer: '/expiresAt', detail: 'must be in the future' }]);
    }
    this.changes.take(actor, 'others');
    const secret = drawSecret();
    const token = await this.dataSource.transaction(async (manager) => {
      // A deletion that has begun goes first, a later one waits, and so do tokens that are made at the same moment.
      const account = await manager.findOne(AccountEntity, {
        where: { id: accountId },
        lock: { mode: 'for_no_key_update' },
      });
      if (!account || account.deletedAt !== null) throw new NotFoundError(`account ${accountId}`);
      if (facts.scopes.includes('operate') && !account.operator) {
        throw new InvalidRequestError([
          { pointer: '/scopes', detail: '"operate" needs the account of an operator' },
        ]);
      }
      if (!actor.operator) await requireFewTokens(manager, accountId);
      const made = await insertToken(manager, { ...facts, accountId, hostId: null, secret });
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'token.create',
        subject: `token ${made.id}`,
        detail: { accountId, scopes: facts.scopes },
      });
      return made;
    });
    return { token: present(token), secret };
  }

  async list(actor: Actor, cursor: string | undefined, limit: number): Promise<Page<Token>> {
    if (actor.hostId !== null) throw new DomainError('forbidden', 'The token of a host cannot list tokens.');
    const { accountId } = actor;
    const tokens = await this.dataSource.manager.find(ApiTokenEntity, {
      where: { accountId, id: LessThan(idFromCursor(cursor)) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return toPage(tokens, limit, present, ({ id }) => [id]);
  }

  /** Ends a token at once here, within seconds at other coordinators. Repeating it changes nothing. */
  async revoke(actor: Actor, tokenId: string): Promise<void> {
    const follow = await this.dataSource.transaction(async (manager) => {
      const token = await manager.findOne(ApiTokenEntity, {
        where: { id: tokenId },
        lock: { mode: 'pessimistic_write' },
      });
      const mayRevoke =
        token !== null && (actor.operator || (token.accountId === actor.accountId && actor.hostId === null));
      if (!mayRevoke) throw new NotFoundError(`token ${tokenId}`);
      const missing = actor.operator ? [] : lackingScopes(actor.scopes, token.scopes);
      if (missing.length > 0) {
        throw new DomainError(
          'forbidden',
          `A token cannot end one that may do more than itself: ${missing.join(', ')}.`,
        );
      }
      if (token.revokedAt !== null) return undefined;
      await manager.update(ApiTokenEntity, { id: tokenId }, { revokedAt: () => 'now()' });
      const following = await this.events.emitTokenRevoked(manager, tokenId);
      await this.audit.record(manager, {
        accountId: actor.accountId,
        action: 'token.revoke',
        subject: `token ${tokenId}`,
      });
      return following;
    });
    follow?.();
    this.directory.forgetAll();
  }
}

async function requireFewTokens(manager: EntityManager, accountId: string): Promise<void> {
  const living = await manager.query<unknown[]>(
    `SELECT FROM api_token WHERE account_id = $1 AND host_id IS NULL AND NOT session AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now()) LIMIT ${LIVING_TOKENS_MAX}`,
    [accountId],
  );
  if (living.length < LIVING_TOKENS_MAX) return;
  throw new DomainError(
    'conflict',
    `${LIVING_TOKENS_MAX} tokens of the account are valid: revoke those that nobody uses any more.`,
  );
}

export interface NewToken extends TokenFacts {
  readonly accountId: string;
  readonly hostId: string | null;
  readonly secret: string;
  /** A browser gets it by signing in. */
  readonly session?: boolean;
}

export async function insertToken(manager: EntityManager, token: NewToken): Promise<ApiTokenEntity> {
  return await manager.save(ApiTokenEntity, {
    accountId: token.accountId,
    hostId: token.hostId,
    secretSha256: hashSecret(token.secret),
    label: token.label,
    scopes: [...new Set(token.scopes)],
    expiresAt: token.expiresAt === undefined ? null : new Date(token.expiresAt),
    lastUsedAt: null,
    revokedAt: null,
    session: token.session ?? false,
  });
}

function present(token: ApiTokenEntity): Token {
  return {
    id: token.id,
    label: token.label,
    scopes: token.scopes,
    hostId: token.hostId,
    createdAt: token.createdAt.toISOString(),
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
    expiresAt: token.expiresAt?.toISOString() ?? null,
    revokedAt: token.revokedAt?.toISOString() ?? null,
    session: token.session,
  };
}
