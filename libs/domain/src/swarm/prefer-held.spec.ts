import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { preferHeld } from './prefer-held.js';

const isEven = (value: number) => value % 2 === 0;

describe('locality', () => {
  it('prefers tickets whose chunks the host holds, and keeps the order of the others', () => {
    expect(preferHeld([1, 3, 2, 5, 4], isEven, 3)).toEqual({ chosen: [1, 2, 4], rest: [3, 5] });
    expect(preferHeld([1, 3, 5], isEven, 2)).toEqual({ chosen: [1, 3], rest: [5] });
  });

  it('loses and invents no ticket, takes as many as wanted, and passes over held ones only for held ones', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.nat({ max: 20 }), (tickets, count) => {
        const { chosen, rest } = preferHeld(tickets, isEven, count);
        expect([...chosen, ...rest].toSorted((a, b) => a - b)).toEqual(tickets.toSorted((a, b) => a - b));
        expect(chosen).toHaveLength(Math.min(count, tickets.length));
        if (rest.some(isEven)) expect(chosen.every(isEven)).toBe(true);
      }),
    );
  });
});
