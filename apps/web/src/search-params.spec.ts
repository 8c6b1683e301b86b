import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readBoardSearch } from './pages/board-search';
import { parseSearch, stringifySearch } from './search-params';

it('takes names that look like numbers, truths or JSON for names', () => {
  for (const q of ['123', '1e3', '007', 'true', 'null', '[1]', '"ada"', 'ada & grace', 'é+1']) {
    expect(readBoardSearch(parseSearch(stringifySearch({ q })))).toEqual({ q });
  }
  expect(stringifySearch({ q: '123', page: 2 })).toBe('?q=123&page=2');
});

it('writes nothing where nothing is asked for', () => {
  expect(stringifySearch({})).toBe('');
  expect(stringifySearch({ q: undefined })).toBe('');
  expect(parseSearch('')).toEqual({});
});

it('reads whatever text it wrote', () => {
  const text = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(fc.dictionary(text, text), (search) => {
      expect(parseSearch(stringifySearch(search))).toEqual(search);
    }),
  );
});
