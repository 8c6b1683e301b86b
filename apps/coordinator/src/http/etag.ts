import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { DomainError } from './domain-error.js';

/** Strong validator of a JSON representation. */
export function etagOf(representation: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(representation)).digest('base64url').slice(0, 27)}"`;
}

/** @throws {DomainError} unless the request's `If-Match` names this version */
export function requireMatch(request: FastifyRequest, etag: string): void {
  const header = request.headers['if-match'];
  if (header === undefined) {
    throw new DomainError(
      'precondition-required',
      'Send If-Match with the ETag of the version that you read.',
      {
        errors: [{ pointer: '/if-match', detail: 'is missing' }],
      },
    );
  }
  const matches = header.split(',').map((part) => part.trim());
  if (!matches.includes('*') && !matches.includes(etag)) {
    throw new DomainError('precondition-failed', 'Somebody changed it since you read it: read it again.', {
      headers: { etag },
    });
  }
}

/** Whether the client has this version already (`If-None-Match`). */
export function hasVersion(request: FastifyRequest, etag: string): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  return header.split(',').some((part) => part.trim() === '*' || part.trim().replace(/^W\//, '') === etag);
}
