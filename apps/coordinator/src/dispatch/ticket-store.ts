import { laneOfTicket, lanesInOrder, type NoWorkCause, type UnitClass } from '@gleaner/domain';
import type { DispatchData, TicketData } from '../queue/index.js';
import { Deque } from './deque.js';

/** A ticket that cannot be given to anybody here goes back to the queue after this, for another coordinator. */
export const TICKET_HOLD_MS = 10_000;
/** Tickets that one request looks at before it gives up. */
const SCAN_MAX = 512;

/** Why one person cannot have a ticket that others can have. */
export type TicketRefusal = Extract<
  NoWorkCause['code'],
  'already-has-task' | 'needs-another-account' | 'runtime-too-old' | 'unapproved-app'
>;

/** A queue job in memory: it is done when each of its tickets was handed out, dropped or returned. */
interface HeldBatch {
  readonly atMs: number;
  open: number;
  readonly done: () => void;
}

export interface Ticket {
  readonly unitId: number;
  readonly ordinal: number;
  readonly jobId: number;
  readonly unitClass: UnitClass;
  readonly heldSinceMs: number;
  readonly batch: HeldBatch;
  /** Persons who cannot take it, and why; for them it is passed over. */
  refusedTo: Map<string, TicketRefusal> | null;
}

/** Who asks, as far as choosing tickets goes. */
export interface Taker {
  readonly accountId: string;
  readonly personId: string;
  readonly classes: readonly UnitClass[];
}

export interface TakenTickets {
  readonly tickets: Ticket[];
  /** Why other tickets were passed over: this taker was refused them before. */
  readonly passedOver: TicketRefusal[];
}

/** The tickets that a coordinator holds in memory, by class and lane, oldest first. */
export class TicketStore {
  private arrival = Promise.withResolvers<void>();
  private readonly lanes = new Map<UnitClass, Array<Deque<Ticket>>>();

  constructor(
    readonly laneCount: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Holds the tickets of a queue job. Resolves when none of them is held any more. */
  hold(unitClass: UnitClass, data: DispatchData): Promise<void> {
    if (data.units.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const batch: HeldBatch = { atMs: data.at, open: data.units.length, done: resolve };
      const heldSinceMs = this.now();
      this.arrival.resolve();
      this.arrival = Promise.withResolvers();
      for (const [unitId, ordinal, jobId] of data.units) {
        const ticket: Ticket = { unitId, ordinal, jobId, unitClass, heldSinceMs, batch, refusedTo: null };
        this.laneOf(ticket).push(ticket);
      }
    });
  }

  /** Resolves when tickets arrive next. */
  nextArrival(): Promise<void> {
    return this.arrival.promise;
  }

  /** Takes up to `count` tickets for one taker: its own lane first, then the others. */
  take(taker: Taker, count: number): TakenTickets {
    const tickets: Ticket[] = [];
    const passedOver: TicketRefusal[] = [];
    let scanned = 0;
    const order = lanesInOrder(taker.accountId, this.laneCount);
    for (const unitClass of taker.classes) {
      const lanes = this.lanes.get(unitClass);
      if (!lanes) continue;
      for (const lane of order) {
        const held = lanes[lane];
        if (!held || held.length === 0) continue;
        const kept: Ticket[] = [];
        while (tickets.length < count && scanned < SCAN_MAX) {
          const ticket = held.shift();
          if (!ticket) break;
          scanned += 1;
          const refusal = ticket.refusedTo?.get(taker.personId);
          if (refusal !== undefined) {
            passedOver.push(refusal);
            kept.push(ticket);
          } else tickets.push(ticket);
        }
        for (const ticket of kept.reverse()) held.unshift(ticket);
        if (tickets.length >= count || scanned >= SCAN_MAX) return { tickets, passedOver };
      }
    }
    return { tickets, passedOver };
  }

  /** The ticket became a task, or will never become one. */
  finish(ticket: Ticket): void {
    ticket.batch.open -= 1;
    if (ticket.batch.open === 0) ticket.batch.done();
  }

  /** Puts a taken ticket back: for anybody, or for anybody but the person who cannot have it. */
  putBack(ticket: Ticket, refused?: { readonly personId: string; readonly why: TicketRefusal }): void {
    if (refused) (ticket.refusedTo ??= new Map()).set(refused.personId, refused.why);
    this.laneOf(ticket).unshift(ticket);
  }

  /** Takes out what has to go back to its queue: tickets held longer than {@link TICKET_HOLD_MS}, and those of `classes`. */
  takeOld({ all = false, classes }: { all?: boolean; classes?: ReadonlySet<UnitClass> } = {}): Ticket[] {
    const limit = this.now() - TICKET_HOLD_MS;
    const old: Ticket[] = [];
    for (const [unitClass, lanes] of this.lanes) {
      const isWanted = !all && !classes?.has(unitClass);
      for (const [lane, held] of lanes.entries()) {
        const kept = new Deque<Ticket>();
        for (const ticket of held) (isWanted && ticket.heldSinceMs > limit ? kept : old).push(ticket);
        lanes[lane] = kept;
      }
    }
    return old;
  }

  get size(): number {
    let size = 0;
    for (const lanes of this.lanes.values()) for (const held of lanes) size += held.length;
    return size;
  }

  private laneOf(ticket: Ticket): Deque<Ticket> {
    let lanes = this.lanes.get(ticket.unitClass);
    if (!lanes) {
      lanes = Array.from({ length: this.laneCount }, () => new Deque<Ticket>());
      this.lanes.set(ticket.unitClass, lanes);
    }
    const lane = lanes[laneOfTicket(ticket.unitId, ticket.ordinal, this.laneCount)];
    if (!lane) throw new RangeError(`ticket ${ticket.unitId}.${ticket.ordinal} has no lane`);
    return lane;
  }
}

/** The queue jobs that give `tickets` back, one for each original queue job and lane. */
export function returnedBatches(tickets: readonly Ticket[], laneCount: number): ReturnedBatch[] {
  const groups = new Map<string, { unitClass: UnitClass; lane: number; at: number; units: TicketData[] }>();
  for (const { unitClass, unitId, ordinal, jobId, batch } of tickets) {
    const lane = laneOfTicket(unitId, ordinal, laneCount);
    const key = `${unitClass} ${lane}`;
    const group = groups.get(key) ?? { unitClass, lane, at: batch.atMs, units: [] };
    group.at = Math.min(group.at, batch.atMs);
    group.units.push([unitId, ordinal, jobId]);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ unitClass, lane, at, units }) => ({
    unitClass,
    lane,
    data: { at, units },
  }));
}

export interface ReturnedBatch {
  readonly unitClass: UnitClass;
  readonly lane: number;
  readonly data: DispatchData;
}
