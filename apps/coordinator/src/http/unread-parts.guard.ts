import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { DECORATORS } from '@nestjs/swagger';
import { pointerTo } from '@gleaner/protocol';
import type { FastifyRequest } from 'fastify';
import { InvalidRequestError, type ProblemLocation } from './domain-error.js';

/** Of what nobody reads, as much as is told. */
const MAX_ERRORS = 20;
const MAX_NAME_LENGTH = 100;

interface ReadParts {
  readonly query: boolean;
  readonly body: boolean;
}

/**
 * Refuses parameters and fields where an endpoint reads none: whoever deletes a job with `?dryRun=true` must not see it
 * deleted. What an endpoint does read is checked by its schema. Resumable uploads are no endpoints of Nest and not looked at.
 */
@Injectable()
export class UnreadPartsGuard implements CanActivate {
  private readonly read = new WeakMap<object, ReadParts>();

  canActivate(context: ExecutionContext): boolean {
    const { query, body } = this.readBy(context);
    if (query && body) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    // What watches health asks in its own way.
    if (request.routeOptions.url?.startsWith('/v1/') !== true) return true;
    const errors = [
      ...(query ? [] : unread(request.query, 'is not read: this address takes no parameters')),
      ...(body ? [] : unread(request.body, 'is not read: this request takes no body')),
    ];
    if (errors.length > 0) throw new InvalidRequestError(errors.slice(0, MAX_ERRORS));
    return true;
  }

  private readBy(context: ExecutionContext): ReadParts {
    const handler = context.getHandler();
    const known = this.read.get(handler);
    if (known) return known;
    const args: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name);
    // Keys are `KIND:POSITION` of each decorated argument.
    const has = (kind: RouteParamtypes) => Object.keys(args ?? {}).some((key) => key.startsWith(`${kind}:`));
    // A body of another type than JSON is its endpoint's to refuse, and so is JSON there.
    const isOfContent = Reflect.hasMetadata(DECORATORS.API_CONSUMES, handler);
    const found = { query: has(RouteParamtypes.QUERY), body: has(RouteParamtypes.BODY) || isOfContent };
    this.read.set(handler, found);
    return found;
  }
}

function unread(part: unknown, detail: string): ProblemLocation[] {
  if (part === undefined || part === null) return [];
  if (typeof part !== 'object' || Array.isArray(part)) return [{ pointer: '', detail }];
  return Object.keys(part).map((name) => ({ pointer: pointerTo([name.slice(0, MAX_NAME_LENGTH)]), detail }));
}
