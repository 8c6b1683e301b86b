import { Inject, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONFIG, type Config } from '../config/index.js';
import { ACCESS, setActor, type Access, type Actor } from './actor.js';
import { callerNetwork } from './caller-network.js';
import { DomainError } from './domain-error.js';
import { RateLimiter, type RateDecision } from './rate-limiter.js';
import { isSameOrigin, sessionSecretOf } from './session-cookie.js';
import { TokenDirectory } from './token-directory.js';

const MINUTE_MS = 60_000;
const PACE = Symbol('PACE');
const CHALLENGE = { 'www-authenticate': 'Bearer realm="gleaner"' };

/** Which requests count together: everything, reads of what everybody may see, or nothing. */
type Pace = 'default' | 'public-reads' | 'unlimited';

/** Exempts an endpoint that volunteers call all day and that bounds its work by other means. */
export const Unlimited = () => SetMetadata<symbol, Pace>(PACE, 'unlimited');

/** For what pages show to everybody and read again every few seconds: counted apart, and far more of it is allowed. */
export const PublicReads = () => SetMetadata<symbol, Pace>(PACE, 'public-reads');

/** Establishes who calls, whether they may, and whether they call too often. An endpoint without a decorator needs a token. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly byAccount: RateLimiter;
  private readonly byNetwork: RateLimiter;
  private readonly byReader: RateLimiter;

  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenDirectory,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.byAccount = new RateLimiter(config.requestsPerMinute, MINUTE_MS);
    this.byNetwork = new RateLimiter(config.anonymousRequestsPerMinute, MINUTE_MS);
    this.byReader = new RateLimiter(config.publicRequestsPerMinute, MINUTE_MS);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, targets) ?? { kind: 'token' };
    const pace = this.reflector.getAllAndOverride<Pace | undefined>(PACE, targets) ?? 'default';
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const actor = access.kind === 'public' ? null : await this.identify(request);
    if (pace !== 'unlimited') {
      const decision =
        pace === 'public-reads' ? await this.countRead(request, actor) : this.count(request, actor);
      this.limit(http.getResponse<FastifyReply>(), decision);
    }
    if (actor) {
      setActor(request, actor);
      // Of what a cookie asks for, which proxies do not know from a public page, nothing is kept unless its endpoint says so.
      void http.getResponse<FastifyReply>().header('cache-control', 'no-store');
    }
    checkAccess(access, actor);
    return true;
  }

  /**
   * For routes outside of Nest (tus): the caller, or an error.
   *
   * @param isCounted among the requests that an account may make in a minute
   */
  async authenticate(request: FastifyRequest, access: Access, isCounted = false): Promise<Actor> {
    const actor = await this.identify(request);
    checkAccess(access, actor);
    if (!actor) throw new DomainError('unauthorised', 'This endpoint needs a token.', { headers: CHALLENGE });
    if (isCounted) this.refuseIfTooMany(this.byAccount.take(actor.accountId));
    return actor;
  }

  /** Whose token the request carries, or null where it carries none; throws where it is not a living one. */
  async identify(request: FastifyRequest): Promise<Actor | null> {
    const header = request.headers.authorization;
    if (header === undefined) return await this.identifyBrowser(request);
    const secret = /^Bearer +(\S+)$/i.exec(header)?.[1];
    const actor = secret === undefined ? null : await this.tokens.find(secret);
    if (actor) return actor;
    this.refuseIfTooMany(this.byNetwork.take(callerNetwork(request)));
    if (secret === undefined) {
      throw new DomainError(
        'unauthorised',
        'The Authorization header holds no Bearer token: send "Authorization: Bearer gln_…".',
        { headers: { 'www-authenticate': `${CHALLENGE['www-authenticate']}, error="invalid_request"` } },
      );
    }
    throw new DomainError('unauthorised', 'The token is unknown, expired or revoked.', {
      headers: { 'www-authenticate': `${CHALLENGE['www-authenticate']}, error="invalid_token"` },
    });
  }

  /** Who has signed in with this browser; a session that has ended is none. */
  private async identifyBrowser(request: FastifyRequest): Promise<Actor | null> {
    const secret = sessionSecretOf(request);
    const actor = secret === null ? null : await this.tokens.find(secret);
    if (actor && !isSameOrigin(request, this.config.publicUrl)) {
      throw new DomainError('forbidden', 'Only pages of this coordinator may do that with a session.');
    }
    return actor;
  }

  private count(request: FastifyRequest, actor: Actor | null): RateDecision {
    return actor ? this.byAccount.take(actor.accountId) : this.byNetwork.take(callerNetwork(request));
  }

  /** Whoever has signed in is not counted among their neighbours, although such endpoints do not ask who calls. */
  private async countRead(request: FastifyRequest, actor: Actor | null): Promise<RateDecision> {
    const secret = actor ? null : sessionSecretOf(request);
    const reader = actor ?? (secret === null ? null : await this.tokens.find(secret));
    return this.byReader.take(reader ? `account ${reader.accountId}` : callerNetwork(request));
  }

  private limit(reply: FastifyReply, decision: RateDecision): void {
    // draft-ietf-httpapi-ratelimit-headers: the policy and what is left of it.
    void reply
      .header('ratelimit-policy', `"default";q=${decision.limit};w=60`)
      .header('ratelimit', `"default";r=${decision.remaining};t=${decision.resetSeconds}`);
    this.refuseIfTooMany(decision);
  }

  private refuseIfTooMany(decision: RateDecision): void {
    if (decision.allowed) return;
    // Agents tell their volunteers these sentences and nothing else of the problem.
    throw new DomainError(
      'rate-limited',
      `At most ${decision.limit} requests a minute of one account, or of one network without a token. Try again in ${decision.resetSeconds} s.`,
      { headers: { 'retry-after': String(decision.resetSeconds) } },
    );
  }
}

function checkAccess(access: Access, actor: Actor | null): void {
  switch (access.kind) {
    case 'public':
    case 'optional':
      return;
    case 'token':
      requireActor(actor);
      return;
    case 'host':
      if (requireActor(actor).hostId === null) {
        throw new DomainError(
          'forbidden',
          'Only the token of an attached host may do that: attach a host first.',
        );
      }
      return;
    case 'scope': {
      const { scopes, operator } = requireActor(actor);
      const allowed = access.scope === 'operate' ? operator : scopes.includes(access.scope);
      if (!allowed)
        throw new DomainError('forbidden', `This needs a token with the scope "${access.scope}".`);
      return;
    }
    default:
      access satisfies never;
  }
}

function requireActor(actor: Actor | null): Actor {
  if (!actor)
    throw new DomainError('unauthorised', 'Sign in, or send "Authorization: Bearer gln_…".', {
      headers: CHALLENGE,
    });
  return actor;
}
