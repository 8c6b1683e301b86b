import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Scope } from '@gleaner/protocol';
import type { FastifyRequest } from 'fastify';
import { DomainError } from './domain-error.js';

/** Who makes a request. Ids are decimal strings, as in the database driver and the API. */
export interface Actor {
  readonly tokenId: string;
  readonly accountId: string;
  /** Set for the token of an attached host, which can only work, and only as this host. */
  readonly hostId: string | null;
  readonly scopes: readonly Scope[];
  /** The account is an operator's and the token has the scope `operate`. */
  readonly operator: boolean;
  readonly anonymous: boolean;
}

/** What an endpoint demands of its caller. */
export type Access =
  | { readonly kind: 'public' }
  /** A token is optional, but a wrong one is refused. */
  | { readonly kind: 'optional' }
  | { readonly kind: 'token' }
  | { readonly kind: 'scope'; readonly scope: Scope }
  /** The token of an attached host. */
  | { readonly kind: 'host' };

export const ACCESS = Symbol('ACCESS');
const ACTOR = Symbol('ACTOR');

/** Anybody may call it; tokens are not even looked at. */
export const Public = () => SetMetadata<symbol, Access>(ACCESS, { kind: 'public' });
export const OptionalToken = () => SetMetadata<symbol, Access>(ACCESS, { kind: 'optional' });
export const RequireScope = (scope: Scope) => SetMetadata<symbol, Access>(ACCESS, { kind: 'scope', scope });
export const RequireHost = () => SetMetadata<symbol, Access>(ACCESS, { kind: 'host' });

/** The caller; only for endpoints that demand a token. */
export const CurrentActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const actor = actorOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (!actor) throw new DomainError('unauthorised', 'This endpoint needs a token.');
  return actor;
});

/** The caller, or null where the token is optional and absent. */
export const MaybeActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor | null =>
  actorOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** A caller known to be an attached host. */
export interface HostActor extends Actor {
  readonly hostId: string;
}

/** The calling host; only for endpoints under {@link RequireHost}. */
export const CurrentHost = createParamDecorator((_data: unknown, context: ExecutionContext): HostActor => {
  const actor = actorOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (!actor || actor.hostId === null)
    throw new DomainError('forbidden', 'Only an attached host may do that.');
  return { ...actor, hostId: actor.hostId };
});

type RequestWithActor = FastifyRequest & { [ACTOR]?: Actor };

export function actorOf(request: FastifyRequest): Actor | null {
  const holder: RequestWithActor = request;
  return holder[ACTOR] ?? null;
}

export function setActor(request: FastifyRequest, actor: Actor): void {
  const holder: RequestWithActor = request;
  holder[ACTOR] = actor;
}
