import { LOCALITY_LOOKAHEAD, LOCALITY_PATIENCE_REQUESTS, type UnitClass } from '@gleaner/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CROWDED_HOLD_MS, REFUSED_TURN_REQUESTS, TICKET_HOLD_MS, TicketStore } from './ticket-store.js';
import type { Taker } from './taker.js';
import type { Ticket } from './ticket.js';
import { returnedBatches } from './returned-batches.js';

const LANES = 2;
const anna = taker('1');
const ben = taker('2');

const refused = { personId: '1', why: 'already-has-task' } as const;

function taker(id: string): Taker {
  const party = { accountId: id, personId: id, hostId: id, anonymous: false, network: id };
  const canJoin: Taker['canJoin'] = (volunteers) => volunteers.every(({ personId }) => personId !== id);
  return { party, classes: ['agent-64'], abreast: ['agent-64'], canJoin };
}

function storeWith(units: Array<[number, number]>, now: () => number = () => 0, lanes = LANES) {
  const store = new TicketStore(lanes, now);
  let done = false;
  const finished = store
    .hold('agent-64', { at: 5, units: units.map(([unit, ordinal]) => [unit, ordinal, 9] as const) })
    .then(() => {
      done = true;
    });
  return { store, finished, isDone: () => done };
}

const oneLane = (...units: Array<[number, number]>) => storeWith(units, () => 0, 1);

const names = (taken: { tickets: ReadonlyArray<{ unitId: number; ordinal: number }> }) =>
  taken.tickets.map(({ unitId, ordinal }) => `${unitId}.${ordinal}`);

describe('TicketStore', () => {
  it('hands tickets out oldest first and serves other lanes when the own one is empty', () => {
    const { store } = storeWith([
      [2, 0],
      [4, 0],
      [3, 0],
    ]);
    const taken = names(store.take(anna, 3));
    expect(taken.toSorted()).toEqual(['2.0', '3.0', '4.0']);
    expect(taken.indexOf('2.0')).toBeLessThan(taken.indexOf('4.0'));
    expect(store.size).toBe(0);
  });

  it('prefers tickets whose inputs the taker holds, and keeps the others in their order for whoever comes next', () => {
    const store = new TicketStore(LANES, () => 0);
    const units = [
      [2, 0, 9],
      [4, 0, 9],
      [6, 0, 7],
    ] as const;
    void store.hold('agent-64', { at: 5, units });
    const prefers = ({ jobId }: { jobId: number }) => jobId === 7;
    expect(names(store.take({ ...anna, prefers }, 1))).toEqual(['6.0']);
    expect(names(store.take({ ...anna, prefers }, 1))).toEqual(['2.0']);
    expect(names(store.take(ben, 1))).toEqual(['4.0']);
    expect(store.size).toBe(0);
  });

  it('passes over the tickets of a job for the sake of another only so often', () => {
    const store = new TicketStore(LANES, () => 0);
    const units = Array.from({ length: 40 }, (_, n) => [2 * (n + 1), 0, n < 20 ? 9 : 7] as const);
    void store.hold('agent-64', { at: 5, units });
    const prefers = ({ jobId }: { jobId: number }) => jobId === 7;
    const jobs = Array.from(
      { length: 2 * (LOCALITY_PATIENCE_REQUESTS + 1) },
      () => store.take({ ...anna, prefers }, 1).tickets[0]?.jobId,
    );
    const turn = [...Array.from({ length: LOCALITY_PATIENCE_REQUESTS }, () => 7), 9];
    expect(jobs).toEqual([...turn, ...turn]);
  });

  it('serves only the classes that the host can run', () => {
    const { store } = storeWith([[1, 0]]);
    expect(store.take({ ...anna, classes: ['browser-64'], abreast: ['browser-64'] }, 1).tickets).toEqual([]);
    expect(names(store.take(anna, 1))).toEqual(['1.0']);
  });

  it('is done with a queue job when each of its tickets was finished', async () => {
    const { store, finished, isDone } = storeWith([
      [1, 0],
      [1, 1],
    ]);
    const [first, second] = store.take(anna, 2).tickets;
    if (first) store.finish(first);
    await Promise.resolve();
    expect(isDone()).toBe(false);
    if (second) store.finish(second);
    await finished;
    expect(isDone()).toBe(true);
  });

  it('offers a ticket that one person cannot take to the next one, and passes it over for the first', () => {
    const { store } = storeWith([
      [2, 0],
      [4, 0],
    ]);
    const [ticket] = store.take(anna, 1).tickets;
    if (ticket) store.putBack(ticket, refused);
    const again = store.take(anna, 2);
    expect(names(again)).toEqual(['4.0']);
    expect(again.passedOver).toEqual([{ unitId: 2, why: 'already-has-task' }]);
    expect(names(store.take(ben, 1))).toEqual(['2.0']);
  });

  it('gives tickets back to their queues once they were held too long, with the time they were first queued', () => {
    let nowMs = 0;
    const { store } = storeWith(
      [
        [2, 0],
        [3, 0],
        [4, 0],
      ],
      () => nowMs,
    );
    expect(store.takeOld()).toEqual([]);
    nowMs = TICKET_HOLD_MS;
    expect(returnedBatches(store.takeOld(), LANES)).toEqual([
      {
        unitClass: 'agent-64',
        lane: 0,
        data: {
          at: 5,
          units: [
            [2, 0, 9],
            [4, 0, 9],
          ],
          returned: false,
        },
      },
      { unitClass: 'agent-64', lane: 1, data: { at: 5, units: [[3, 0, 9]], returned: false } },
    ]);
    expect(store.size).toBe(0);
  });

  it('looks at a bounded number of tickets for one request', () => {
    const { store } = storeWith(Array.from({ length: 2000 }, (_, unit) => [unit * 2, 0]));
    for (let turn = 0; turn < 4; turn += 1) {
      for (const ticket of store.take(anna, 2000).tickets) store.putBack(ticket, refused);
    }
    const taken = store.take(anna, 1);
    expect(taken.tickets).toEqual([]);
    expect(taken.passedOver.length).toBeLessThan(1000);
  });

  it('offers tickets that were refused before only after fresh ones', () => {
    const { store } = storeWith([[4, 0]]);
    void store.hold('agent-64', { at: 1, units: [[2, 0, 9]], returned: true });
    expect(names(store.take(anna, 2))).toEqual(['4.0', '2.0']);
  });

  it('offers refused tickets in turn where fresh ones never end', () => {
    const { store } = storeWith(Array.from({ length: 100 }, (_, unit) => [unit * 2 + 2, 0]));
    void store.hold('agent-64', { at: 1, units: [[500, 1, 9]], returned: true });
    const taken = Array.from({ length: REFUSED_TURN_REQUESTS }, () => names(store.take(ben, 1))[0]);
    expect(taken).toContain('500.1');
  });

  it('gives a fresh ticket to whom all refused ones are refused, however many these are', () => {
    const { store } = storeWith(Array.from({ length: 2000 }, (_, unit) => [unit * 2 + 2, 0]));
    for (let turn = 0; turn < 4; turn += 1) {
      for (const ticket of store.take(anna, 2000).tickets) store.putBack(ticket, refused);
    }
    const units = Array.from({ length: 100 }, (_, unit) => [unit * 2 + 5000, 0, 9] as const);
    void store.hold('agent-64', { at: 1, units });
    for (let request = 0; request < REFUSED_TURN_REQUESTS; request += 1)
      expect(store.take(anna, 1).tickets).toHaveLength(1);
  });

  it('gives many refused tickets back sooner, marked as such, and in queue jobs of bounded size', () => {
    let nowMs = 0;
    const { store } = storeWith(
      Array.from({ length: 300 }, (_, unit) => [unit * 2, 0]),
      () => nowMs,
    );
    for (const ticket of store.take(anna, 300).tickets) store.putBack(ticket, refused);
    nowMs = CROWDED_HOLD_MS;
    const batches = returnedBatches(store.takeOld(), LANES);
    expect(batches.map(({ data }) => [data.units.length, data.returned])).toEqual([
      [256, true],
      [44, true],
    ]);
  });

  it('has volunteers who can take but a few tasks finish what others began, whichever lanes are theirs', () => {
    const units = Array.from({ length: 200 }, (_, at): [number, number] => [Math.floor(at / 2), at % 2]);
    for (let id = 2; id < 40; id += 1) {
      const { store } = storeWith(units, () => 0, 8);
      const begun = Array.from({ length: 8 }).flatMap(() => store.take(anna, 2).tickets);
      const finished = Array.from({ length: 4 }).flatMap(() => store.take(taker(String(id)), 4).tickets);
      expect(finished.map(({ unitId }) => unitId)).toEqual(begun.map(({ unitId }) => unitId));
    }
  });

  it('offers what was begun to nobody who depends on who began it', () => {
    const { store } = oneLane([2, 0], [5, 0], [6, 0], [2, 1], [5, 1]);
    store.take(anna, 2);
    expect(names(store.take({ ...ben, canJoin: () => false }, 1))).toEqual(['6.0']);
    expect(names(store.take(ben, 1))).toEqual(['2.1']);
  });

  it('does not take for begun what was put back, and takes for it what arrives later', () => {
    const { store } = oneLane([2, 0], [5, 0], [6, 0]);
    const [ticket] = store.take(anna, 1).tickets;
    if (ticket) store.putBack(ticket, refused);
    void store.hold('agent-64', { at: 1, units: [[2, 1, 9]] });
    expect(names(store.take(ben, 1))).toEqual(['5.0']);
    expect(names(store.take(ben, 1))).toEqual(['6.0']);
    void store.hold('agent-64', { at: 1, units: [[6, 1, 9]] });
    expect(names(store.take(anna, 1))).toEqual(['6.1']);
  });

  it('offers refused tickets in turn also to whom there is always something that another began', () => {
    const { store } = storeWith(
      Array.from({ length: 200 }, (_, at): [number, number] => [Math.floor(at / 2) + 1, at % 2]),
    );
    store.take(anna, 100);
    void store.hold('agent-64', { at: 1, units: [[500, 1, 9]], returned: true });
    const taken = Array.from({ length: REFUSED_TURN_REQUESTS }, () => names(store.take(ben, 1)));
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
    expect(names(store.take(either, 1))).toEqual(['6.0']);
    expect(names(store.take({ ...either, abreast: classes }, 1))).toEqual(['2.1']);
    expect(names(store.take(either, 3))).toEqual(['8.0', '4.0']);
  });

  it('has what was begun first come first, whatever requests for inputs at hand choose among', () => {
    const units = 3 * LOCALITY_LOOKAHEAD;
    const { store } = storeWith(
      Array.from({ length: 2 * units }, (_, at): [number, number] => [Math.floor(at / 2) + 1, at % 2]),
    );
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

  it('hands out each ticket once, whatever is taken, put back, looked at or returned in between', () => {
    const step = fc.record({
      kind: fc.constantFrom('take', 'glance', 'put back', 'refuse', 'finish', 'return', 'hold'),
      who: fc.constantFrom(anna, ben, taker('3')),
      count: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let nowMs = 0;
        const store = new TicketStore(LANES, () => nowMs);
        const taken: Ticket[] = [];
        let [held, nextUnit] = [0, 1];
        for (const { kind, who, count } of steps) {
          if (kind === 'hold') {
            const units = Array.from(
              { length: count * 2 },
              (_, at) => [nextUnit + (at >> 1), at % 2, 9] as const,
            );
            void store.hold('agent-64', { at: nowMs, units });
            [held, nextUnit] = [held + units.length, nextUnit + count];
          } else if (kind === 'glance') store.glance(who, count);
          else if (kind === 'take') {
            const { tickets } = store.take(who, count);
            held -= tickets.length;
            taken.push(...tickets);
          } else if (kind === 'return') {
            nowMs += TICKET_HOLD_MS / 2;
            held -= store.takeOld().length;
          } else {
            const ticket = taken.splice(count % Math.max(1, taken.length), 1)[0];
            if (!ticket) continue;
            if (kind === 'finish') store.finish(ticket);
            else
              store.putBack(
                ticket,
                kind === 'refuse' ? { ...refused, personId: who.party.personId } : undefined,
              );
            held += kind === 'finish' ? 0 : 1;
          }
          expect(store.size).toBe(held);
        }
        const rest = store.takeOld({ all: true });
        expect(rest).toHaveLength(held);
        const all = [...rest, ...taken].map(({ unitId, ordinal }) => `${unitId}.${ordinal}`);
        expect(new Set(all).size).toBe(all.length);
      }),
    );
  });
});
