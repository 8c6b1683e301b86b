import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterServing,
  CLASS_ABREAST_MAX,
  CLASS_LAG_MAX,
  classesAbreast,
  classesInTurn,
  type ClassTurns,
} from './class-turns.js';
import { UNIT_CLASSES, type UnitClass } from './unit-class.js';

const NONE: ClassTurns = new Map();
const LARGE = 'agent-4096';
const SMALL = 'browser-64';

/** Who was served how often, when hosts that can serve everything take one task after another. */
function serve(shares: ReadonlyMap<UnitClass, number>, tasks: number, turns = NONE) {
  const served = new Map<UnitClass, number>([...shares.keys()].map((unitClass) => [unitClass, 0]));
  for (let n = 0; n < tasks; n += 1) {
    const [next = LARGE] = classesInTurn(
      [...shares.keys()],
      turns,
      (unitClass) => shares.get(unitClass) ?? 1,
    );
    served.set(next, (served.get(next) ?? 0) + 1);
    turns = afterServing(turns, next, 1, shares.get(next) ?? 1);
  }
  return { served, turns };
}

describe('turns of classes', () => {
  it('begin with the most demanding one', () => {
    expect(classesInTurn([LARGE, SMALL], NONE, () => 1)).toEqual([LARGE, SMALL]);
    expect(classesInTurn([LARGE, SMALL], afterServing(NONE, LARGE, 1, 1), () => 1)).toEqual([SMALL, LARGE]);
  });

  it('give every class what its jobs’ shares are', () => {
    const classes = fc.uniqueArray(fc.constantFrom(...UNIT_CLASSES), { minLength: 2 });
    fc.assert(
      fc.property(
        classes,
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 7, maxLength: 7 }),
        (all, weights) => {
          const shares = new Map(all.map((unitClass, at) => [unitClass, weights[at] ?? 1]));
          const sum = [...shares.values()].reduce((total, share) => total + share, 0);
          const { served } = serve(shares, 500);
          for (const [unitClass, share] of shares) {
            const due = (500 * share) / sum;
            expect(Math.abs((served.get(unitClass) ?? 0) - due)).toBeLessThanOrEqual(all.length);
          }
        },
      ),
    );
  });

  it.each([1, 100])('are abreast until one is further ahead than a few tasks (share %i)', (share) => {
    const inTurn = [LARGE, SMALL] as const;
    const turns = afterServing(NONE, SMALL, CLASS_ABREAST_MAX, share);
    expect(classesAbreast(inTurn, turns, () => share)).toEqual([LARGE, SMALL]);
    const ahead = afterServing(turns, SMALL, 1, share);
    expect(classesAbreast(inTurn, ahead, () => share)).toEqual([LARGE]);
    expect(classesAbreast([], ahead, () => share)).toEqual([]);
  });

  it('are kept for a class that only few hosts can serve', () => {
    const turns = afterServing(NONE, SMALL, 100, 1);
    const both = new Map<UnitClass, number>([
      [LARGE, 1],
      [SMALL, 1],
    ]);
    expect(serve(both, 50, turns).served.get(SMALL)).toBe(0);
  });

  it.each([1, 100])('are not kept for ever for one of which there was nothing (share %i)', (share) => {
    const turns = afterServing(NONE, SMALL, 1_000_000, 1);
    const both = new Map<UnitClass, number>([
      [LARGE, share],
      [SMALL, 1],
    ]);
    expect(serve(both, CLASS_LAG_MAX + 2 * share + 10, turns).served.get(SMALL)).toBeGreaterThan(0);
  });
});
