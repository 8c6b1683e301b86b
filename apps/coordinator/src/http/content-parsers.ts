import { LIMITS } from '@gleaner/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AccessGuard } from './access.guard.js';
import { requireBoundedText } from './bounded-json.js';
import { ByteBudget } from './byte-budget.js';
import { requireBodyWithin } from './connection-bounds.js';
import { DomainError } from './domain-error.js';
import { isConsumed, unsupportedMediaType } from './media-types.js';

/** Content that endpoints read as a stream, with their own bound, after it is known who calls. */
const STREAMED_TYPES = ['application/wasm', 'application/octet-stream'];

/** JSON of callers without a token: to sign in and to attach a host takes far less. */
export const STRANGER_BODY_BYTES = 64 * 1024;
const TOO_LARGE_FOR_STRANGERS = `Without a token a body needs a Content-Length of at most ${STRANGER_BODY_BYTES} bytes: sign in, or send "Authorization: Bearer gln_…".`;

/** JSON is small, and read whole before anything else happens. */
const JSON_WITHIN_MS = 120_000;
/** Large JSON bodies that are read or answered at once, in all and of one account. */
const LARGE_BODIES = { maxBytes: 256 * 1024 * 1024, maxBytesEach: 64 * 1024 * 1024 };

/**
 * Lets nobody have {@link LIMITS.bodyBytes} of JSON read who has no living token, and no account more of it at a time than
 * its share: bodies are read before the endpoint's guard is asked. Small bodies, as nearly all are, cost no look at the token here.
 */
export function boundBodies(fastify: FastifyInstance, guard: AccessGuard): void {
  const budget = new ByteBudget(LARGE_BODIES);
  fastify.addHook('preParsing', async (request, reply, payload) => {
    refuseCoded(request);
    const isJson = request.headers['content-type']?.toLowerCase().startsWith('application/json') === true;
    if (!isJson) return payload;
    requireBodyWithin(request.raw, JSON_WITHIN_MS);
    const bytes = announcedBytes(request);
    if (bytes <= STRANGER_BODY_BYTES) return payload;
    const actor = await guard.identify(request);
    if (actor === null) throw new DomainError('too-large', TOO_LARGE_FOR_STRANGERS);
    // What is larger than any body may be is refused while it comes.
    reply.raw.once('close', budget.take(actor.accountId, Math.min(bytes, LIMITS.bodyBytes)));
    return payload;
  });
}

/** Nothing is decompressed here: whoever could make us do so would send kilobytes and have us hold gigabytes. */
function refuseCoded({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding'];
  if (coding === undefined || coding.toLowerCase() === 'identity') return;
  throw new DomainError('unsupported-media-type', 'Send the body as it is, without Content-Encoding.', {
    errors: [{ pointer: '/content-encoding', detail: 'is not supported' }],
    headers: { 'accept-encoding': 'identity' },
  });
}

/** Infinite where the body comes in chunks, which say nothing of those that follow. */
function announcedBytes({ headers }: FastifyRequest): number {
  return headers['transfer-encoding'] === undefined
    ? Number(headers['content-length'] ?? 0)
    : Number.POSITIVE_INFINITY;
}

/** JSON, and streams for the endpoints that ask for them; everything else is refused with 415. */
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
        if (text.length > STRANGER_BODY_BYTES) requireBoundedText(text);
        done(null, JSON.parse(text));
      } catch (error) {
        done(
          error instanceof DomainError
            ? error
            : new DomainError(
                'malformed-json',
                error instanceof Error ? error.message : 'It cannot be parsed.',
              ),
        );
      }
    },
  );
  for (const type of STREAMED_TYPES) {
    fastify.addContentTypeParser(type, (request, payload, done) => {
      // To an endpoint that asks for JSON a stream is an object without an end, which nothing may look into.
      if (isConsumed(request) || request.is404) done(null, payload);
      else done(unsupportedMediaType(request));
    });
  }
}
