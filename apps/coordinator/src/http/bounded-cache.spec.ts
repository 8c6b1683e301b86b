import { expect, it } from 'vitest';
import { BoundedCache } from './bounded-cache.js';

it('forgets what is older than its time', () => {
  let nowMs = 0;
  const cache = new BoundedCache<string, number>(10, 1000, () => nowMs);
  cache.set('a', 1);
  nowMs = 999;
  expect(cache.get('a')).toBe(1);
  nowMs = 1000;
  expect(cache.get('a')).toBeUndefined();
  expect(cache.size).toBe(0);
});

it('forgets the oldest entry beyond its bound; an entry set again is young', () => {
  const cache = new BoundedCache<string, number>(2, 1000, () => 0);
  cache.set('a', 1);
  cache.set('b', 2);
  cache.set('a', 3);
  cache.set('c', 4);
  expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([3, undefined, 4]);
});
