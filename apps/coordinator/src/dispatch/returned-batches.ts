import { laneOfTicket, type UnitClass } from '@gleaner/domain';
import type { DispatchData, TicketData } from '../queue/index.js';
import type { Ticket } from './ticket.js';

/** Tickets of one queue job that gives some back. */
const RETURNED_MAX = 256;

/** The queue jobs that give `tickets` back, by lane; refused ones apart from those that nobody wanted. */
export function returnedBatches(tickets: readonly Ticket[], laneCount: number): ReturnedBatch[] {
  const groups = new Map<string, ReturnedBatch & { readonly data: { at: number; units: TicketData[] } }>();
  let full = 0;
  for (const ticket of tickets) {
    const { unitClass, unitId, ordinal, jobId, batch } = ticket;
    const lane = laneOfTicket(unitId, ordinal, laneCount);
    const returned = ticket.refusedTo !== null || batch.isReturned;
    const key = `${unitClass} ${lane} ${returned}`;
    const group = groups.get(key) ?? { unitClass, lane, data: { at: batch.atMs, units: [], returned } };
    group.data.at = Math.min(group.data.at, batch.atMs);
    group.data.units.push([unitId, ordinal, jobId]);
    groups.set(key, group);
    if (group.data.units.length < RETURNED_MAX) continue;
    groups.delete(key);
    full += 1;
    groups.set(`full ${full}`, group);
  }
  return [...groups.values()];
}

export interface ReturnedBatch {
  readonly unitClass: UnitClass;
  readonly lane: number;
  readonly data: DispatchData;
}
