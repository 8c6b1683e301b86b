import { applyDecorators } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, DECORATORS } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { DomainError } from './domain-error.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Content types of a route's body; JSON where nothing is said. */
    consumes?: readonly string[];
  }
}

const JSON_ONLY: readonly string[] = ['application/json'];
/** Of a type that somebody made up, as much as is shown to them. */
const SHOWN_LENGTH = 100;

/** The endpoint reads a body of this type as a stream of bytes. */
export const TakesContent = (type: string): MethodDecorator =>
  applyDecorators(
    ApiConsumes(type),
    ApiBody({ required: true, schema: { type: 'string', format: 'binary' } }),
  );

/**
 * Lets every route know which content types its endpoint documents (`@TakesContent`), before routes are made: what is
 * documented and what is read are the same.
 */
export function tellRoutesWhatTheyConsume(discovery: DiscoveryService): void {
  const scanner = new MetadataScanner();
  for (const { metatype } of discovery.getControllers()) {
    // `as`: a class's prototype is an object, which its type does not say.
    const prototype = metatype?.prototype as object | undefined;
    if (prototype === undefined) continue;
    for (const name of scanner.getAllMethodNames(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      const method: unknown = descriptor?.value;
      if (descriptor === undefined || typeof method !== 'function') continue;
      const consumes: unknown = Reflect.getMetadata(DECORATORS.API_CONSUMES, method);
      if (Array.isArray(consumes)) RouteConfig({ consumes })(prototype, name, descriptor);
    }
  }
}

/** The content types of a body that this request's endpoint reads. */
function consumedTypes(request: FastifyRequest): readonly string[] {
  return request.routeOptions.config.consumes ?? JSON_ONLY;
}

/** Whether the endpoint reads what this request says to carry. */
export function isConsumed(request: FastifyRequest): boolean {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return type !== undefined && consumedTypes(request).includes(type);
}

/** What was sent and what is read instead. */
export function unsupportedMediaType(request: FastifyRequest, cause?: unknown): DomainError {
  const got = request.headers['content-type'];
  const given = got === undefined ? 'a body without a Content-Type' : got.slice(0, SHOWN_LENGTH);
  return new DomainError(
    'unsupported-media-type',
    `Got ${given}; send Content-Type: ${consumedTypes(request).join(' or ')}.`,
    { cause },
  );
}
