import { LIMITS } from '@gleaner/protocol';
import type { FastifyInstance } from 'fastify';
import { DomainError } from './domain-error.js';

/** Content that endpoints read as a stream, with their own bound, after it is known who calls. */
const STREAMED_TYPES = ['application/wasm', 'application/octet-stream'];

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
