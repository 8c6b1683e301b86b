import { expect, it } from 'vitest';
import { readBoardSearch } from './board-search';

it('reads what an address can mean, and leaves the rest out', () => {
  expect(readBoardSearch({ board: 'hosts', period: 'week', page: '7', q: '  ada ' })).toEqual({
    board: 'hosts',
    period: 'week',
    page: 7,
    q: 'ada',
  });
  expect(readBoardSearch({ board: 'teapots', period: 'all', page: '-3', q: 12 })).toEqual({});
  expect(readBoardSearch({ page: '1e9', q: 'x'.repeat(500) })).toEqual({ q: 'x'.repeat(80) });
});
