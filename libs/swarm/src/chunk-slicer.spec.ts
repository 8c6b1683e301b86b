import { array, assert, integer, property, uint8Array, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkSlicer, runsOfChunks } from './chunk-slicer.js';

describe('runsOfChunks', () => {
  it('joins neighbours up to the bound', () => {
    expect(runsOfChunks([0, 1, 2, 5, 6], 2)).toEqual([
      { start: 0, end: 2 },
      { start: 2, end: 3 },
      { start: 5, end: 7 },
    ]);
  });

  it('covers every index once, in order', () => {
    const indices = uniqueArray(integer({ min: 0, max: 300 })).map((list) => list.sort((a, b) => a - b));
    assert(
      property(indices, integer({ min: 1, max: 9 }), (list, max) => {
        const covered = runsOfChunks(list, max).flatMap(({ start, end }) =>
          Array.from({ length: end - start }, (_, offset) => start + offset),
        );
        expect(covered).toEqual(list);
      }),
    );
  });
});

describe('ChunkSlicer', () => {
  it('cuts the same pieces however the bytes arrive', () => {
    const lengths = array(integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });
    assert(
      property(
        lengths,
        uint8Array({ minLength: 400, maxLength: 400 }),
        integer({ min: 1, max: 97 }),
        (list, bytes, step) => {
          const slicer = new ChunkSlicer(list);
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < bytes.length; at += step)
            pieces.push(...slicer.push(bytes.subarray(at, at + step)));
          expect(pieces.map((piece) => piece.length)).toEqual(list);
          expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes.subarray(0, Buffer.concat(pieces).length)));
          expect(slicer.missing).toBe(0);
        },
      ),
    );
  });
});
