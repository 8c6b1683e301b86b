import {
  laneOfTicket,
  lanesInOrder,
  LOCALITY_LOOKAHEAD,
  LOCALITY_PATIENCE_REQUESTS,
  preferHeld,
  type NoWorkCause,
  type UnitClass,
} from '@gleaner/domain';
import type { DispatchData, TicketData } from '../queue/index.js';
import { Deque } from './deque.js';

/** A ticket that nobody here asked for goes back to the queue after this, for another coordinator. */
export const TICKET_HOLD_MS = 10_000;
/** Tickets of a lane that were refused to somebody; beyond it they go back sooner, so that fresh ones find room. */
export const REFUSED_MAX = 64;
export const CROWDED_HOLD_MS = 2_000;
/** Tickets of one queue job that gives some back. */
const RETURNED_MAX = 256;
/** Tickets that one request looks at before it gives up. */
const SCAN_MAX = 512;
/**
 * Every so many requests those that were refused to somebody come before the fresh ones: a large job's fresh tickets never end, and
 * what a smaller one's units still need would wait until they do. Not oftener, as they may be refused once more.
 */
export const REFUSED_TURN_REQUESTS = 4;
/** Jobs whose passing over is remembered. */
const PASSED_JOBS_MAX = 10_000;

/** Why one person cannot have a ticket that others can have. */
export type TicketRefusal = Extract<
  NoWorkCause['code'],
  'already-has-task' | 'needs-another-account' | 'runtime-too-old' | 'unapproved-app'
>;

/** A queue job in memory: it is done when each of its tickets was handed out, dropped or returned. */
interface HeldBatch {
  readonly atMs: number;
  readonly isReturned: boolean;
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
  /** The taker holds the chunks that this ticket's unit needs: such tickets come first. Left out: no preference. */
  readonly prefers?: ((ticket: Ticket) => boolean) | undefined;
}

/** A ticket that this taker was refused before. */
interface PassedTicket {
  readonly unitId: number;
  readonly why: TicketRefusal;
}

export interface TakenTickets {
  readonly tickets: Ticket[];
  readonly passedOver: PassedTicket[];
}

/** Tickets of one lane: those that were refused to somebody before come after the fresh ones. */
interface Lane {
  readonly fresh: Deque<Ticket>;
  readonly returned: Deque<Ticket>;
}

/** The tickets that a coordinator holds in memory, by class and lane, oldest first. */
export class TicketStore {
  private arrival = Promise.withResolvers<void>();
  private readonly lanes = new Map<UnitClass, Lane[]>();
  /** Requests in a row that took other jobs' tickets for the sake of what their hosts hold. */
  private readonly passesByJob = new Map<number, number>();
  private requests = 0;

  constructor(
    readonly laneCount: number,
    /** Of the process, in milliseconds. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Holds the tickets of a queue job. Resolves when none of them is held any more. */
  hold(unitClass: UnitClass, data: DispatchData): Promise<void> {
    if (data.units.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const batch: HeldBatch = {
        atMs: data.at,
        isReturned: data.returned === true,
        open: data.units.length,
        done: resolve,
      };
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

  /** Takes up to `count` tickets for one taker: fresh ones first, most of the time, and of its own lane before the others. */
  take(taker: Taker, count: number): TakenTickets {
    this.requests += 1;
    if (!taker.prefers) return this.takeFirst(taker, count);
    const { tickets, passedOver } = this.takeFirst(taker, count + LOCALITY_LOOKAHEAD);
    const { prefers } = taker;
    const isDue = ({ jobId }: Ticket): boolean =>
      (this.passesByJob.get(jobId) ?? 0) >= LOCALITY_PATIENCE_REQUESTS;
    const { chosen, rest } = preferHeld(tickets, (ticket) => prefers(ticket) || isDue(ticket), count);
    this.notePasses(chosen, rest);
    for (const ticket of rest.toReversed()) this.laneOf(ticket).unshift(ticket);
    return { tickets: [...chosen], passedOver };
  }

  /** Whose tickets are passed over again and again would wait until the other jobs end. */
  private notePasses(chosen: readonly Ticket[], rest: readonly Ticket[]): void {
    const served = new Set(chosen.map(({ jobId }) => jobId));
    for (const jobId of served) this.passesByJob.delete(jobId);
    if (this.passesByJob.size >= PASSED_JOBS_MAX) this.passesByJob.clear();
    for (const jobId of new Set(rest.map((ticket) => ticket.jobId))) {
      if (!served.has(jobId)) this.passesByJob.set(jobId, (this.passesByJob.get(jobId) ?? 0) + 1);
    }
  }

  /** The tickets that {@link take} would choose among for this many; they keep their order. */
  glance(taker: Taker, count: number): readonly Ticket[] {
    const { tickets } = this.takeFirst(taker, count + LOCALITY_LOOKAHEAD, this.requests + 1);
    for (const ticket of tickets.toReversed()) this.laneOf(ticket).unshift(ticket);
    return tickets;
  }

  private takeFirst(taker: Taker, count: number, request = this.requests): TakenTickets {
    const taken: TakenTickets = { tickets: [], passedOver: [] };
    const isTurnOfRefused = request % REFUSED_TURN_REQUESTS === 0;
    // Looking at refused ones in vain is no reason to give up before the fresh ones.
    if (isTurnOfRefused) this.takeParts(['returned'], taker, count, taken);
    this.takeParts(isTurnOfRefused ? ['fresh'] : ['fresh', 'returned'], taker, count, taken);
    return taken;
  }

  private takeParts(
    parts: ReadonlyArray<keyof Lane>,
    taker: Taker,
    count: number,
    taken: TakenTickets,
  ): void {
    const scan = { left: SCAN_MAX };
    const order = lanesInOrder(taker.accountId, this.laneCount);
    for (const part of parts) {
      for (const unitClass of taker.classes) {
        const lanes = this.lanes.get(unitClass);
        if (!lanes) continue;
        for (const at of order) {
          const lane = lanes[at];
          if (lane) takeFrom(lane[part], taker, count, taken, scan);
          if (taken.tickets.length >= count || scan.left === 0) return;
        }
      }
    }
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

  /** Takes out what has to go back to its queue: tickets held too long, and those of `classes`. */
  takeOld({ all = false, classes }: { all?: boolean; classes?: ReadonlySet<UnitClass> } = {}): Ticket[] {
    const nowMs = this.now();
    const old: Ticket[] = [];
    for (const [unitClass, lanes] of this.lanes) {
      const isWanted = !all && !classes?.has(unitClass);
      for (const [at, { fresh, returned }] of lanes.entries()) {
        const kept: Lane = { fresh: new Deque(), returned: new Deque() };
        for (const ticket of [...fresh, ...returned]) {
          const isCrowding = ticket.refusedTo !== null && returned.length > REFUSED_MAX;
          const holdMs = isCrowding ? CROWDED_HOLD_MS : TICKET_HOLD_MS;
          if (isWanted && nowMs - ticket.heldSinceMs < holdMs) partOf(kept, ticket).push(ticket);
          else old.push(ticket);
        }
        lanes[at] = kept;
      }
    }
    return old;
  }

  get size(): number {
    let size = 0;
    for (const lanes of this.lanes.values()) {
      for (const { fresh, returned } of lanes) size += fresh.length + returned.length;
    }
    return size;
  }

  private laneOf(ticket: Ticket): Deque<Ticket> {
    let lanes = this.lanes.get(ticket.unitClass);
    if (!lanes) {
      lanes = Array.from({ length: this.laneCount }, () => ({ fresh: new Deque(), returned: new Deque() }));
      this.lanes.set(ticket.unitClass, lanes);
    }
    const lane = lanes[laneOfTicket(ticket.unitId, ticket.ordinal, this.laneCount)];
    if (!lane) throw new RangeError(`ticket ${ticket.unitId}.${ticket.ordinal} has no lane`);
    return partOf(lane, ticket);
  }
}

function partOf(lane: Lane, ticket: Ticket): Deque<Ticket> {
  return ticket.batch.isReturned || ticket.refusedTo ? lane.returned : lane.fresh;
}

/** Adds to `taken` what `held` has for the taker; what it cannot have keeps its place. */
function takeFrom(
  held: Deque<Ticket>,
  taker: Taker,
  count: number,
  taken: TakenTickets,
  scan: { left: number },
): void {
  const kept: Ticket[] = [];
  while (taken.tickets.length < count && scan.left > 0) {
    const ticket = held.shift();
    if (!ticket) break;
    scan.left -= 1;
    const refusal = ticket.refusedTo?.get(taker.personId);
    if (refusal === undefined) taken.tickets.push(ticket);
    else {
      taken.passedOver.push({ unitId: ticket.unitId, why: refusal });
      kept.push(ticket);
    }
  }
  for (const ticket of kept.reverse()) held.unshift(ticket);
}

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
