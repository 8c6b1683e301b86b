import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange } from './byte-range.js';

describe('a range', () => {
  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=2-5', 2, 5],
    ['bytes=7-', 7, 9],
    ['bytes=7-999', 7, 9],
    ['bytes=-3', 7, 9],
    ['bytes=-99', 0, 9],
  ])('%s of ten bytes', (header, start, end) => {
    expect(parseRange(header, 10)).toEqual({ kind: 'part', range: { start, end } });
  });

  it.each([['bytes=10-'], ['bytes=10-12'], ['bytes=-0']])('%s lies outside of ten bytes', (header) => {
    expect(parseRange(header, 10)).toEqual({ kind: 'unsatisfiable' });
  });

  it.each([[undefined], [''], ['bytes=-'], ['bytes=5-2'], ['bytes=0-1,4-5'], ['lines=0-1'], ['bytes=a-b']])(
    '%s gets everything',
    (header) => {
      expect(parseRange(header, 10)).toEqual({ kind: 'all' });
    },
  );

  it('never leaves the content, whatever is asked for', () => {
    const bound = fc.oneof(fc.constant(''), fc.nat().map(String));
    fc.assert(
      fc.property(bound, bound, fc.nat(), (first, last, sizeBytes) => {
        const wanted = parseRange(`bytes=${first}-${last}`, sizeBytes);
        if (wanted.kind !== 'part') return;
        expect(wanted.range.start).toBeGreaterThanOrEqual(0);
        expect(wanted.range.end).toBeGreaterThanOrEqual(wanted.range.start);
        expect(wanted.range.end).toBeLessThan(sizeBytes);
      }),
    );
  });
});
