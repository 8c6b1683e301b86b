import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitmapOf, chunksOf, countCopies, isBitmapOf, summarizeCopies } from './chunk-copies.js';

describe('chunk bitmaps', () => {
  it('hold exactly what was put into them', () => {
    const sets = fc
      .integer({ min: 1, max: 300 })
      .chain((chunks) =>
        fc.tuple(
          fc.constant(chunks),
          fc.uniqueArray(fc.nat({ max: chunks - 1 }), { maxLength: 300, size: 'max' }),
        ),
      );
    fc.assert(
      fc.property(sets, ([chunks, indices]) => {
        const bitmap = bitmapOf(chunks, indices);
        expect(isBitmapOf(bitmap, chunks)).toBe(true);
        expect(chunksOf(bitmap, chunks)).toEqual(indices.toSorted((a, b) => a - b));
      }),
    );
  });

  it('are refused when they name chunks beyond the file', () => {
    expect(isBitmapOf(Uint8Array.of(0b111), 3)).toBe(true);
    expect(isBitmapOf(Uint8Array.of(0b1111), 3)).toBe(false);
    expect(isBitmapOf(Uint8Array.of(0b111, 0), 3)).toBe(false);
    expect(isBitmapOf(new Uint8Array(), 3)).toBe(false);
  });
});

describe('copies of chunks', () => {
  const claim = (hostId: string, ...indices: number[]) => ({ hostId, have: bitmapOf(4, indices) });

  it('are counted by host', () => {
    const claims = [claim('a', 0, 1), claim('b', 1, 2), claim('a', 0, 2)];
    expect(countCopies(claims, 4)).toEqual([1, 2, 2, 0]);
  });

  it('take one host’s lie for no more than one copy, and nonsense for none', () => {
    const liars = Array.from({ length: 50 }, () => claim('liar', 0, 1, 2, 3));
    expect(countCopies([...liars, { hostId: 'odd', have: Uint8Array.of(255, 255) }], 4)).toEqual([
      1, 1, 1, 1,
    ]);
  });

  it('are told by chunk, by the rarest and by the average', () => {
    expect(summarizeCopies([1, 2, 2, 0])).toEqual({
      chunks: 4,
      chunksPerRun: 1,
      copies: [1, 2, 2, 0],
      minCopies: 0,
      averageCopies: 1.25,
    });
    expect(summarizeCopies([])).toMatchObject({ chunks: 0, copies: [], minCopies: 0, averageCopies: 0 });
  });

  it('of many chunks are told by the rarest of each run', () => {
    const copies = Array.from({ length: 1000 }, (_, chunk) => (chunk === 998 ? 1 : 5));
    const told = summarizeCopies(copies);
    expect(told).toMatchObject({ chunks: 1000, chunksPerRun: 4, minCopies: 1 });
    expect(told.copies).toEqual([...Array<number>(249).fill(5), 1]);
  });
});
