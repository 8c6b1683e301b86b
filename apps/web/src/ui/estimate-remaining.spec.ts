import fc from 'fast-check';
import { expect, it } from 'vitest';
import { estimateRemaining, formatDuration } from './estimate-remaining';

it('takes the pace of late, with a narrower interval the more was settled', () => {
  const few = estimateRemaining(100, 4, 600);
  const many = estimateRemaining(10_000, 400, 600);
  expect(few?.likely).toBe(15_000);
  expect(many?.likely).toBe(15_000);
  expect(many!.atLeast).toBeGreaterThan(few!.atLeast);
  expect(many!.atMost).toBeLessThan(few!.atMost!);
});

it('says nothing where nothing was settled, and no upper end where there is no telling', () => {
  expect(estimateRemaining(100, 0, 600)).toBeNull();
  expect(estimateRemaining(100, 2, 600)?.atMost).toBeNull();
});

it('keeps the likely time inside its interval', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }), (open, settled) => {
      const remaining = estimateRemaining(open, settled, 600);
      expect(remaining!.atLeast).toBeLessThanOrEqual(remaining!.likely);
      expect(remaining!.likely).toBeLessThanOrEqual(remaining!.atMost ?? Number.POSITIVE_INFINITY);
    }),
  );
});

it.each([
  [0.2, '1 s'],
  [59, '59 s'],
  [61, '1 min'],
  [7200, '2 h'],
  [9000, '2 h 30 min'],
  [400_000, '5 days'],
])('tells %d s as %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
