import { LOCALITY_LOOKAHEAD, type UnitClass } from '@gleaner/domain';
import { describe, expect, it } from 'vitest';
import type { Taker } from './taker.js';
import { REFUSED_TURN_REQUESTS, TicketStore } from './ticket-store.js';
import { anna, aTaker, ben, LANES, namesOf, refusedToAnna, storeWith } from './ticket-store.fixture.js';

const oneLane = (...tickets: ReadonlyArray<[number, number]>) => storeWith(tickets, () => 0, 1);
/** Two tickets of each of so many units. */
const ofUnits = (count: number) =>
  Array.from({ length: 2 * count }, (_, at): [number, number] => [Math.floor(at / 2) + 1, at % 2]);

describe('TicketStore, with units that others have begun', () => {
  it('has volunteers who can take but a few tasks finish what others began, whichever lanes are theirs', () => {
    const units = ofUnits(100);
    for (let id = 2; id < 40; id += 1) {
      const { store } = storeWith(units, () => 0, 8);
      const begun = Array.from({ length: 8 }).flatMap(() => store.take(anna, 2).tickets);
      const finished = Array.from({ length: 4 }).flatMap(() => store.take(aTaker(String(id)), 4).tickets);
      expect(finished.map(({ unitId }) => unitId)).toEqual(begun.map(({ unitId }) => unitId));
    }
  });

  it('offers what was begun to nobody who depends on who began it', () => {
    const { store } = oneLane([2, 0], [5, 0], [6, 0], [2, 1], [5, 1]);
    store.take(anna, 2);
    expect(namesOf(store.take({ ...ben, canJoin: () => false }, 1))).toEqual(['6.0']);
    expect(namesOf(store.take(ben, 1))).toEqual(['2.1']);
  });

  it('does not take for begun what was put back, and takes for it what arrives later', () => {
    const { store } = oneLane([2, 0], [5, 0], [6, 0]);
    const [ticket] = store.take(anna, 1).tickets;
    if (ticket) store.putBack(ticket, refusedToAnna);
    void store.hold('agent-64', { at: 1, units: [[2, 1, 9]] });
    expect(namesOf(store.take(ben, 1))).toEqual(['5.0']);
    expect(namesOf(store.take(ben, 1))).toEqual(['6.0']);
    void store.hold('agent-64', { at: 1, units: [[6, 1, 9]] });
    expect(namesOf(store.take(anna, 1))).toEqual(['6.1']);
  });

  it('offers refused tickets in turn also to whom there is always something that another began', () => {
    const { store } = storeWith(ofUnits(100));
    store.take(anna, 100);
    void store.hold('agent-64', { at: 1, units: [[500, 1, 9]], returned: true });
    const taken = Array.from({ length: REFUSED_TURN_REQUESTS }, () => namesOf(store.take(ben, 1)));
    expect(taken.flat()).toContain('500.1');
  });

  it('offers what was begun in classes that are ahead only after what there is in the others', () => {
    const store = new TicketStore(LANES, () => 0);
    const hold = (unitClass: UnitClass, ...units: Array<[number, number]>) =>
      void store.hold(unitClass, {
        at: 5,
        units: units.map(([unit, ordinal]) => [unit, ordinal, 9] as const),
      });
    hold('agent-64', [2, 0], [4, 0]);
    hold('agent-1024', [6, 0], [8, 0]);
    store.take(anna, 1);
    hold('agent-64', [2, 1]);
    const classes = ['agent-1024', 'agent-64'] as const;
    const either: Taker = { ...ben, classes, abreast: ['agent-1024'] };
    expect(namesOf(store.take(either, 1))).toEqual(['6.0']);
    expect(namesOf(store.take({ ...either, abreast: classes }, 1))).toEqual(['2.1']);
    expect(namesOf(store.take(either, 3))).toEqual(['8.0', '4.0']);
  });

  it('has what was begun first come first, whatever requests for inputs at hand choose among', () => {
    const units = 3 * LOCALITY_LOOKAHEAD;
    const { store } = storeWith(ofUnits(units));
    const begun = store.take(anna, units).tickets.map(({ unitId }) => unitId);
    const local = { ...ben, prefers: () => true };
    const taken = Array.from({ length: 5 }, () => {
      const looked = store.glance(local, 2);
      const { tickets } = store.take(local, 2);
      expect(looked).toEqual(expect.arrayContaining([...tickets]));
      return tickets.map(({ unitId }) => unitId);
    });
    expect(taken.flat()).toEqual(begun.slice(0, 10));
  });
});
