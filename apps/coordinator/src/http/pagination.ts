import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from './domain-error.js';

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}

/** Opaque to clients: the sort key of the last row that they have seen. */
export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** @throws {DomainError} `invalid-cursor` unless it is one of ours with as many parts as `patterns`, each of its form */
export function decodeCursor(cursor: string, patterns: readonly RegExp[]): string[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    parts = null;
  }
  if (Array.isArray(parts) && parts.length === patterns.length) {
    const texts = parts.map(String);
    if (patterns.every((pattern, index) => pattern.test(texts[index] ?? ''))) return texts;
  }
  throw new DomainError('invalid-cursor', 'Take the cursor from nextCursor of the page before, unchanged.', {
    errors: [{ pointer: '/cursor', detail: 'is not a cursor of this list' }],
  });
}

export const ID_PATTERN = /^[1-9]\d{0,17}$/;

/** The id that a list continues after; lists by id, newest first, begin after the largest id there can be. */
export function idFromCursor(cursor: string | undefined): string {
  return cursor === undefined ? '9223372036854775807' : (decodeCursor(cursor, [ID_PATTERN])[0] ?? '0');
}

/** Makes a page of `limit` rows from a query that asked for one row more. */
export function toPage<Row, T>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => T,
  keyOf: (row: Row) => readonly string[],
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(present),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  };
}

/** RFC 8288 `Link: rel="next"` beside the page. */
export function linkNext(request: FastifyRequest, reply: FastifyReply, page: Page<unknown>): void {
  if (page.nextCursor === null) return;
  const next = new URL(request.url, 'http://local');
  next.searchParams.set('cursor', page.nextCursor);
  void reply.header('link', `<${next.pathname}${next.search}>; rel="next"`);
}
