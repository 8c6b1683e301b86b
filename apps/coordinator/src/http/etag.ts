import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from './domain-error.js';

/** Strong validator of a JSON representation. */
export function etagOf(representation: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(representation)).digest('base64url').slice(0, 27)}"`;
}

/** @throws {DomainError} unless the request's `If-Match` names this version */
function requireMatch(request: FastifyRequest, etag: string): void {
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

/** The versions of a resource that several people edit: its ETag names what can be edited, not what changes by itself. */
export class Versions<Resource> {
  constructor(private readonly editable: (resource: Resource) => unknown) {}

  /** Says in the answer which version this is. */
  tag(reply: FastifyReply, resource: Resource): Resource {
    void reply.header('etag', this.etag(resource));
    return resource;
  }

  /** @returns throws for any version but the one that the request's `If-Match` names, as a DomainError */
  required(request: FastifyRequest): (current: Resource) => void {
    return (current) => requireMatch(request, this.etag(current));
  }

  private etag(resource: Resource): string {
    return etagOf(this.editable(resource));
  }
}
