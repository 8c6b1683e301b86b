import { describe, expect, it } from 'vitest';
import { BEGUN_SCAN_MAX, BegunUnits, FORGOTTEN_UNITS, REMEMBERED_UNITS_MAX } from './begun-units.js';

const anna = { accountId: '1', personId: '1', hostId: '1', anonymous: false, network: null };
const anything = () => true;

/** Units from 1 on with a held ticket each, which somebody has begun. */
function begunUnits(count: number) {
  const begun = new BegunUnits<{ unitId: number }>();
  for (let unitId = 1; unitId <= count; unitId += 1) {
    begun.add({ unitId });
    begun.begin(unitId, anna);
  }
  return begun;
}

const unitsOf = ({ tickets }: { tickets: ReadonlyArray<{ unitId: number }> }) =>
  tickets.map(({ unitId }) => unitId);

describe('BegunUnits', () => {
  it('tells those first that were begun first, and nothing of units whose tickets are gone', () => {
    const begun = begunUnits(4);
    const [first] = begun.first(1, anything).tickets;
    expect(first).toEqual({ unitId: 1 });
    if (first) begun.remove(first);
    expect(unitsOf(begun.first(2, anything))).toEqual([2, 3]);
  });

  it('learns of volunteers that others know of, each once', () => {
    const begun = begunUnits(1);
    const ben = { ...anna, hostId: '2' };
    begun.learn(1, [anna, ben]);
    begun.learn(1, [ben]);
    begun.add({ unitId: 2 });
    begun.learn(2, [ben]);
    const known: Array<readonly object[]> = [];
    begun.first(2, (_, volunteers) => known.push(volunteers) > 0);
    expect(known).toEqual([[anna, ben], [ben]]);
  });

  it('forgets who began a unit when it came to nothing for all of them', () => {
    const begun = begunUnits(1);
    const ben = { ...anna, personId: '2' };
    begun.begin(1, ben);
    begun.undo(1, anna);
    const isBensAlone = (_: object, volunteers: readonly object[]) =>
      volunteers.length === 1 && volunteers[0] === ben;
    expect(unitsOf(begun.first(1, isBensAlone))).toEqual([1]);
    begun.undo(1, ben);
    expect(unitsOf(begun.first(1, anything))).toEqual([]);
  });

  it('looks at a bounded number that the asker cannot have, and at others the next time', () => {
    const begun = begunUnits(3 * BEGUN_SCAN_MAX);
    const isLast = ({ unitId }: { unitId: number }) => unitId === 3 * BEGUN_SCAN_MAX;
    let looks = 0;
    const found = Array.from({ length: 3 }, () => {
      const { tickets, inVain } = begun.first(1, (ticket) => {
        looks += 1;
        return isLast(ticket);
      });
      begun.moveBack(inVain);
      return tickets.length;
    });
    expect(found).toEqual([0, 0, 1]);
    expect(looks).toBe(3 * BEGUN_SCAN_MAX);
  });

  it('remembers the volunteers of a bounded number of units, the latest', () => {
    const begun = begunUnits(REMEMBERED_UNITS_MAX + 1);
    expect(unitsOf(begun.first(1, anything))).toEqual([FORGOTTEN_UNITS + 1]);
    const remembered = REMEMBERED_UNITS_MAX + 1 - FORGOTTEN_UNITS;
    expect(unitsOf(begun.first(2 * REMEMBERED_UNITS_MAX, anything))).toHaveLength(remembered);
  });
});
