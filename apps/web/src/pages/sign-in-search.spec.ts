import { describe, expect, it } from 'vitest';
import { readSignInSearch } from './sign-in-search';

describe('the address of the sign-in page', () => {
  it('says what to do and where to go afterwards', () => {
    const search = { mode: 'reset', code: 'abc', next: '/activate?code=WDJB-MJHT' };
    expect(readSignInSearch(search)).toEqual(search);
  });

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    7,
    `/${'x'.repeat(500)}`,
  ])('never leads to %s', (next) => {
    expect(readSignInSearch({ next })).toEqual({});
  });

  it('ignores what it cannot mean', () => {
    expect(readSignInSearch({ mode: 'root', code: ['a'] })).toEqual({});
  });
});
