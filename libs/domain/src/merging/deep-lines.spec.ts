import { expect, it } from 'vitest';
import { LineRefusedError } from './merge-error.js';
import { sortKeysOf } from './sort-keys.js';

const nested = (levels: number) =>
  new TextEncoder().encode(`{"key": 1, "deep": ${'['.repeat(levels)}${']'.repeat(levels)}}`);

it('refuses lines that nest deeper than any machine can write them, and reads all others', () => {
  expect(sortKeysOf(nested(900), ['key', 'deep'])).toEqual([1, '['.repeat(900) + ']'.repeat(900)]);
  expect(() => sortKeysOf(nested(200_000), ['key'])).toThrow(LineRefusedError);
  expect(() => sortKeysOf(nested(200_000), ['deep'])).toThrow('nested more than 1000 levels deep');
});
