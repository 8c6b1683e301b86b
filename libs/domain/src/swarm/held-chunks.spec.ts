import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitmapOf } from './chunk-copies.js';
import { holdsUnit, runsOf, type ChunkedInput, type ChunkRun } from './held-chunks.js';

const CHUNK_BYTES = 100;
const tape: ChunkedInput = { name: 'tape', manifestId: 'T', sizeBytes: 1_050, chunkBytes: CHUNK_BYTES };
const map: ChunkedInput = { name: 'map', manifestId: 'M', sizeBytes: 150, chunkBytes: CHUNK_BYTES };
const held = (of: Record<string, readonly ChunkRun[]>) => new Map(Object.entries(of));
const chunkSets = fc.uniqueArray(fc.nat({ max: 39 }));

describe('what a unit needs and a host holds', () => {
  it('is the chunks that its window touches, and all of an input that is not cut', () => {
    const windows = { tape: { offset: 250, length: 100 } };
    expect(holdsUnit([tape], windows, held({ T: [{ from: 2, to: 4 }] }))).toBe(true);
    expect(holdsUnit([tape], windows, held({ T: [{ from: 2, to: 3 }] }))).toBe(false);
    expect(holdsUnit([tape, map], windows, held({ T: [{ from: 2, to: 4 }] }))).toBe(false);
    const both = held({ T: [{ from: 2, to: 4 }], M: [{ from: 0, to: 2 }] });
    expect(holdsUnit([tape, map], windows, both)).toBe(true);
    expect(holdsUnit([tape], {}, both)).toBe(false);
    expect(holdsUnit([tape], {}, held({ T: [{ from: 0, to: 11 }] }))).toBe(true);
  });

  it('is nothing where there is no input', () => {
    expect(holdsUnit([], {}, held({ T: [{ from: 0, to: 11 }] }))).toBe(true);
    expect(holdsUnit([tape], { tape: { offset: 1_050, length: 0 } }, new Map())).toBe(true);
  });

  it('says of every window what its bytes say', () => {
    fc.assert(
      fc.property(
        chunkSets,
        fc.nat({ max: 3_999 }),
        fc.integer({ min: 1, max: 1_500 }),
        (set, offset, size) => {
          const length = Math.min(size, 4_000 - offset);
          const chunks = new Set(set);
          const input = { ...tape, sizeBytes: 4_000 };
          const runs = held({ T: runsOf(bitmapOf(40, set), 40, 40) });
          const isEveryByteHeld = Array.from({ length }, (_, at) =>
            Math.floor((offset + at) / CHUNK_BYTES),
          ).every((chunk) => chunks.has(chunk));
          expect(holdsUnit([input], { tape: { offset, length } }, runs)).toBe(isEveryByteHeld);
        },
      ),
    );
  });
});

describe('the runs of a bitmap', () => {
  it('are its chunks, ascending; the longest where there are too many', () => {
    const chunks = [0, 1, 2, 5, 7, 8];
    expect(runsOf(bitmapOf(10, chunks), 10, 3)).toEqual([
      { from: 0, to: 3 },
      { from: 5, to: 6 },
      { from: 7, to: 9 },
    ]);
    expect(runsOf(bitmapOf(10, chunks), 10, 2)).toEqual([
      { from: 0, to: 3 },
      { from: 7, to: 9 },
    ]);
  });

  it('never name a chunk that is not there, however few are told', () => {
    fc.assert(
      fc.property(chunkSets, fc.integer({ min: 1, max: 25 }), (set, most) => {
        const runs = runsOf(bitmapOf(40, set), 40, most);
        const named = runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at));
        expect(runs.length).toBeLessThanOrEqual(most);
        expect(named).toEqual(named.toSorted((a, b) => a - b));
        for (const chunk of named) expect(set).toContain(chunk);
        if (most >= 20) expect(named).toEqual(set.toSorted((a, b) => a - b));
      }),
    );
  });
});
