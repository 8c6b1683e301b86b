import { describe, expect, it } from 'vitest';
import { lackingScopes } from './lacking-scopes.js';

describe('a token', () => {
  it('lacks nothing of what it may do itself', () => {
    expect(lackingScopes(['work', 'submit'], ['submit'])).toEqual([]);
    expect(lackingScopes([], [])).toEqual([]);
  });

  it('lacks what may do more', () => {
    expect(lackingScopes(['work'], ['work', 'submit', 'operate'])).toEqual(['submit', 'operate']);
  });
});
