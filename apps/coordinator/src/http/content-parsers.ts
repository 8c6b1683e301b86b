import { LIMITS } from '@gleaner/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AccessGuard } from './access.guard.js';
import { DomainError } from './domain-error.js';

/** Content that endpoints read as a stream, with their own bound, after it is known who calls. */
const STREAMED_TYPES = ['application/wasm', 'application/octet-stream'];

/** JSON of callers without a token: to sign in and to attach a host takes far less. */
export const STRANGER_BODY_BYTES = 64 * 1024;
const TOO_LARGE_FOR_STRANGERS = `Without a token a body needs a Content-Length of at most ${STRANGER_BODY_BYTES} bytes: sign in, or send "Authorization: Bearer gln_…".`;

/**
 * Lets nobody have {@link LIMITS.bodyBytes} of JSON read who has no living token: bodies are read before the endpoint's
 * guard is asked. Small bodies, as nearly all are, cost no look at the token here.
 */
export function boundStrangersBodies(fastify: FastifyInstance, guard: AccessGuard): void {
  fastify.addHook('preParsing', async (request, _reply, payload) => {
    const isJson = request.headers['content-type']?.toLowerCase().startsWith('application/json') === true;
    if (isJson && announcedBytes(request) > STRANGER_BODY_BYTES && (await guard.identify(request)) === null) {
      throw new DomainError('too-large', TOO_LARGE_FOR_STRANGERS);
    }
    return payload;
  });
}

/** Infinite where the body comes in chunks, which say nothing of those that follow. */
function announcedBytes({ headers }: FastifyRequest): number {
  return headers['transfer-encoding'] === undefined
    ? Number(headers['content-length'] ?? 0)
    : Number.POSITIVE_INFINITY;
}

/** JSON and streams; everything else is refused with 415. */
export function registerContentParsers(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string', bodyLimit: LIMITS.bodyBytes },
    (_request, text, done) => {
      if (text.trim() === '') {
        done(null, undefined);
        return;
      }
      try {
        done(null, JSON.parse(text));
      } catch (error) {
        done(
          new DomainError('malformed-json', error instanceof Error ? error.message : 'It cannot be parsed.'),
        );
      }
    },
  );
  for (const type of STREAMED_TYPES) {
    fastify.addContentTypeParser(type, (_request, payload, done) => done(null, payload));
  }
}
