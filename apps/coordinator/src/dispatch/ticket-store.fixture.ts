import type { Taker } from './taker.js';
import { TicketStore } from './ticket-store.js';

export const LANES = 2;

/** For tests: who takes units that none of their volunteers is this person. */
export function aTaker(id: string): Taker {
  const party = { accountId: id, personId: id, hostId: id, anonymous: false, network: id };
  const canJoin: Taker['canJoin'] = (volunteers) => volunteers.every(({ personId }) => personId !== id);
  return { party, classes: ['agent-64'], abreast: ['agent-64'], canJoin };
}

export const anna = aTaker('1');
export const ben = aTaker('2');
/** Why Anna cannot have a ticket. */
export const refusedToAnna = { personId: '1', why: 'already-has-task' } as const;

/** For tests: a store that holds one queue job, of tickets (unit, ordinal) of job 9. */
export function storeWith(
  tickets: ReadonlyArray<readonly [number, number]>,
  now: () => number = () => 0,
  lanes = LANES,
) {
  const store = new TicketStore(lanes, now);
  let done = false;
  const finished = store
    .hold('agent-64', { at: 5, units: tickets.map(([unit, ordinal]) => [unit, ordinal, 9] as const) })
    .then(() => {
      done = true;
    });
  return { store, finished, isDone: () => done };
}

/** For tests: what was taken, as `unit.ordinal`. */
export function namesOf(taken: { tickets: ReadonlyArray<{ unitId: number; ordinal: number }> }): string[] {
  return taken.tickets.map(({ unitId, ordinal }) => `${unitId}.${ordinal}`);
}
