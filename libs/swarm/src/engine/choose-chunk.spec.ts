import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRarestChunks } from './choose-chunk.js';

const always = () => true;

describe('the choice of chunks', () => {
  it('takes the rarest, and of those as many as asked for', () => {
    const copies = fc.array(fc.nat(5), { maxLength: 100, size: 'max' });
    fc.assert(
      fc.property(copies, fc.integer({ min: 1, max: 20 }), (availability, most) => {
        const chosen = chooseRarestChunks(availability.keys(), availability, always, Math.random, most);
        expect(new Set(chosen).size).toBe(chosen.length);
        const rarest = availability.toSorted((a, b) => a - b).slice(0, most);
        expect(chosen.map((chunk) => availability[chunk])).toEqual(rarest);
      }),
    );
  });

  it('takes none that is not possible, although it is the rarest', () => {
    const isPossible = (chunk: number): boolean => chunk % 2 === 1;
    expect(chooseRarestChunks([0, 1, 2, 3], [0, 2, 0, 1], isPossible, Math.random, 4)).toEqual([3, 1]);
    expect(chooseRarestChunks([0, 2], [1, 1, 1], isPossible, Math.random, 1)).toEqual([]);
  });

  it('leaves ties to chance', () => {
    const availability = Array.from({ length: 8 }, () => 3);
    const firsts = new Set(
      Array.from({ length: 1000 }, () =>
        chooseRarestChunks(availability.keys(), availability, always, Math.random, 2).join(),
      ),
    );
    // 8 · 7 pairs; one that is missed a thousand times out of 56 does not happen.
    expect(firsts.size).toBe(56);
  });
});
