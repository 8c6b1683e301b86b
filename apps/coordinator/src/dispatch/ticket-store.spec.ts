import { LOCALITY_PATIENCE_REQUESTS } from '@gleaner/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { returnedBatches } from './returned-batches.js';
import { CROWDED_HOLD_MS, REFUSED_TURN_REQUESTS, TICKET_HOLD_MS, TicketStore } from './ticket-store.js';
import { anna, aTaker, ben, LANES, namesOf, refusedToAnna, storeWith } from './ticket-store.fixture.js';
import type { Ticket } from './ticket.js';

describe('TicketStore', () => {
  it('hands tickets out oldest first and serves other lanes when the own one is empty', () => {
    const { store } = storeWith([
      [2, 0],
      [4, 0],
      [3, 0],
    ]);
    const taken = namesOf(store.take(anna, 3));
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
    expect(namesOf(store.take({ ...anna, prefers }, 1))).toEqual(['6.0']);
    expect(namesOf(store.take({ ...anna, prefers }, 1))).toEqual(['2.0']);
    expect(namesOf(store.take(ben, 1))).toEqual(['4.0']);
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
    expect(namesOf(store.take(anna, 1))).toEqual(['1.0']);
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
    if (ticket) store.putBack(ticket, refusedToAnna);
    const again = store.take(anna, 2);
    expect(namesOf(again)).toEqual(['4.0']);
    expect(again.passedOver).toEqual([{ unitId: 2, why: 'already-has-task' }]);
    expect(namesOf(store.take(ben, 1))).toEqual(['2.0']);
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
      for (const ticket of store.take(anna, 2000).tickets) store.putBack(ticket, refusedToAnna);
    }
    const taken = store.take(anna, 1);
    expect(taken.tickets).toEqual([]);
    expect(taken.passedOver.length).toBeLessThan(1000);
  });

  it('offers tickets that were refused before only after fresh ones', () => {
    const { store } = storeWith([[4, 0]]);
    void store.hold('agent-64', { at: 1, units: [[2, 0, 9]], returned: true });
    expect(namesOf(store.take(anna, 2))).toEqual(['4.0', '2.0']);
  });

  it('offers refused tickets in turn where fresh ones never end', () => {
    const { store } = storeWith(Array.from({ length: 100 }, (_, unit) => [unit * 2 + 2, 0]));
    void store.hold('agent-64', { at: 1, units: [[500, 1, 9]], returned: true });
    const taken = Array.from({ length: REFUSED_TURN_REQUESTS }, () => namesOf(store.take(ben, 1))[0]);
    expect(taken).toContain('500.1');
  });

  it('gives a fresh ticket to whom all refused ones are refused, however many these are', () => {
    const { store } = storeWith(Array.from({ length: 2000 }, (_, unit) => [unit * 2 + 2, 0]));
    for (let turn = 0; turn < 4; turn += 1) {
      for (const ticket of store.take(anna, 2000).tickets) store.putBack(ticket, refusedToAnna);
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
    for (const ticket of store.take(anna, 300).tickets) store.putBack(ticket, refusedToAnna);
    nowMs = CROWDED_HOLD_MS;
    const batches = returnedBatches(store.takeOld(), LANES);
    expect(batches.map(({ data }) => [data.units.length, data.returned])).toEqual([
      [256, true],
      [44, true],
    ]);
  });

  it('hands out each ticket once, whatever is taken, put back, looked at or returned in between', () => {
    const step = fc.record({
      kind: fc.constantFrom('take', 'glance', 'put back', 'refuse', 'finish', 'return', 'hold'),
      who: fc.constantFrom(anna, ben, aTaker('3')),
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
                kind === 'refuse' ? { ...refusedToAnna, personId: who.party.personId } : undefined,
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
