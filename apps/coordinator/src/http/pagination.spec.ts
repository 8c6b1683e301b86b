import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { DomainError } from './domain-error.js';
import { decodeCursor, encodeCursor, idFromCursor, ID_PATTERN, toPage } from './pagination.js';

it('a cursor gives back the key that it was made of', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }), (id) => {
      expect(idFromCursor(encodeCursor([String(id)]))).toBe(String(id));
    }),
  );
});

it('whatever else a client sends as a cursor is refused, and never reaches the database', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((text) => Buffer.from(text).toString('base64url')),
      ),
      (cursor) => {
        try {
          expect(decodeCursor(cursor, [ID_PATTERN])[0]).toMatch(ID_PATTERN);
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
          expect(error).toHaveProperty('code', 'invalid-cursor');
        }
      },
    ),
  );
});

it('the last page has no next one, also when it is full', () => {
  const keyOf = (row: number): string[] => [String(row)];
  expect(toPage([1, 2], 2, String, keyOf)).toEqual({ items: ['1', '2'], nextCursor: null });
  expect(toPage([1, 2, 3], 2, String, keyOf)).toEqual({ items: ['1', '2'], nextCursor: encodeCursor(['2']) });
  expect(toPage([], 2, String, keyOf)).toEqual({ items: [], nextCursor: null });
});
