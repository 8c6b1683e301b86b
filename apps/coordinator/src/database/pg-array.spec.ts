import { describe, expect, it } from 'vitest';
import { plainArray, textArray, tokenArray } from './pg-array.js';

describe('Postgres array literals', () => {
  it('writes numbers, booleans and NULL bare', () => {
    expect(plainArray([1, -2, 3n, true, null])).toBe('{1,-2,3,true,NULL}');
    expect(tokenArray(['12', null, 'ab'])).toBe('{12,NULL,ab}');
    expect(plainArray([])).toBe('{}');
  });

  it('escapes quotes and backslashes of text, and keeps braces, commas and the word NULL apart from syntax', () => {
    expect(textArray(['a"b', 'c\\d', '{,}', 'NULL', null, ''])).toBe(
      '{"a\\"b","c\\\\d","{,}","NULL",NULL,""}',
    );
  });

  it('replaces the NUL character, which Postgres cannot store', () => {
    expect(textArray(['a\0b'])).toBe('{"a\ufffdb"}');
  });
});
