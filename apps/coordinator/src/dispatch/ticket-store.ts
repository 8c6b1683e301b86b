import {
  laneOfTicket,
  lanesInOrder,
  LOCALITY_LOOKAHEAD,
  LOCALITY_PATIENCE_REQUESTS,
  preferHeld,
  type Party,
  type UnitClass,
} from '@gleaner/domain';
import type { DispatchData } from '../queue/index.js';
import { BegunUnits } from './begun-units.js';
import { Deque } from './deque.js';
import type { HeldBatch, Ticket, TicketRefusal } from './ticket.js';

/** A ticket that nobody here asked for goes back to the queue after this, for another coordinator. */
export const TICKET_HOLD_MS = 10_000;
/** Tickets of a lane that were refused to somebody; beyond it they go back sooner, so that fresh ones find room. */
export const REFUSED_MAX = 64;
export const CROWDED_HOLD_MS = 2_000;
/** Tickets that one request looks at before it gives up. */
const SCAN_MAX = 512;
/**
 * Every so many requests those that were refused to somebody come before the fresh ones: a large job's fresh tickets never end, and
 * what a smaller one's units still need would wait until they do. Not oftener, as they may be refused once more.
 */
export const REFUSED_TURN_REQUESTS = 4;
/** Jobs whose passing over is remembered. */
const PASSED_JOBS_MAX = 10_000;

const NEW_TICKET = { refusedTo: null, takenBy: null, isHeld: true, isInLane: true };

/** Who asks, as far as choosing tickets goes. */
export interface Taker {
  readonly party: Party & { readonly personId: string };
  readonly classes: readonly UnitClass[];
  /** The taker can compute this ticket's unit beside these volunteers. */
  readonly isIndependentOf: (volunteers: readonly Party[], ticket: Ticket) => boolean;
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

/** The tickets that a coordinator holds in memory: those of units that are begun first, the others by class and lane, oldest first. */
export class TicketStore {
  private readonly begun = new BegunUnits<Ticket>();
  private arrival = Promise.withResolvers<void>();
  private readonly lanes = new Map<UnitClass, Lane[]>();
  /** Requests in a row that took other jobs' tickets for the sake of what their hosts hold. */
  private readonly passesByJob = new Map<number, number>();
  /** Requests for which what others have begun was not enough. */
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
        const ticket: Ticket = { ...NEW_TICKET, unitId, ordinal, jobId, unitClass, heldSinceMs, batch };
        this.laneOf(ticket).push(ticket);
        this.begun.add(ticket);
      }
    });
  }

  /** Resolves when tickets arrive next. */
  nextArrival(): Promise<void> {
    return this.arrival.promise;
  }

  /**
   * Takes up to `count` tickets for one taker: first those of units that others have begun; then fresh ones, most of the time, and
   * of its own lane before the others.
   */
  take(taker: Taker, count: number): TakenTickets {
    const taken = this.takePreferred(taker, count);
    for (const ticket of taken.tickets) {
      ticket.takenBy = taker.party;
      this.begun.begin(ticket.unitId, taker.party);
    }
    return taken;
  }

  private takePreferred(taker: Taker, count: number): TakenTickets {
    if (!taker.prefers) return this.takeFirst(taker, count);
    const { tickets, passedOver } = this.takeFirst(taker, count + LOCALITY_LOOKAHEAD);
    const { prefers } = taker;
    const isDue = ({ jobId }: Ticket): boolean =>
      (this.passesByJob.get(jobId) ?? 0) >= LOCALITY_PATIENCE_REQUESTS;
    const { chosen, rest } = preferHeld(tickets, (ticket) => prefers(ticket) || isDue(ticket), count);
    this.notePasses(chosen, rest);
    for (const ticket of rest.toReversed()) this.restore(ticket);
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
    const { requests } = this;
    const { tickets } = this.takeFirst(taker, count + LOCALITY_LOOKAHEAD);
    for (const ticket of tickets.toReversed()) this.restore(ticket);
    this.requests = requests;
    return tickets;
  }

  private takeFirst(taker: Taker, count: number): TakenTickets {
    const taken: TakenTickets = { tickets: [], passedOver: [] };
    taken.tickets.push(...this.takeBegun(taker, count));
    if (taken.tickets.length >= count) return taken;
    this.requests += 1;
    const isTurnOfRefused = this.requests % REFUSED_TURN_REQUESTS === 0;
    // Looking at refused ones in vain is no reason to give up before the fresh ones.
    if (isTurnOfRefused) this.takeParts(['returned'], taker, count, taken);
    this.takeParts(isTurnOfRefused ? ['fresh'] : ['fresh', 'returned'], taker, count, taken);
    return taken;
  }

  private takeBegun({ party, classes, isIndependentOf }: Taker, count: number): Ticket[] {
    const tickets = this.begun.first(
      count,
      (ticket, volunteers) =>
        classes.includes(ticket.unitClass) &&
        !ticket.refusedTo?.has(party.personId) &&
        isIndependentOf(volunteers, ticket),
    );
    for (const ticket of tickets) this.removed(ticket);
    return tickets;
  }

  private takeParts(
    parts: ReadonlyArray<keyof Lane>,
    taker: Taker,
    count: number,
    taken: TakenTickets,
  ): void {
    const scan = { left: SCAN_MAX };
    const order = lanesInOrder(taker.party.accountId, this.laneCount);
    for (const part of parts) {
      for (const unitClass of taker.classes) {
        const lanes = this.lanes.get(unitClass);
        if (!lanes) continue;
        for (const at of order) {
          const lane = lanes[at];
          if (lane) this.takeFrom(lane[part], taker, count, taken, scan);
          if (taken.tickets.length >= count || scan.left === 0) return;
        }
      }
    }
  }

  /** Adds to `taken` what `lane` has for the taker; what it cannot have keeps its place. */
  private takeFrom(
    lane: Deque<Ticket>,
    { party }: Taker,
    count: number,
    taken: TakenTickets,
    scan: { left: number },
  ): void {
    const kept: Ticket[] = [];
    while (taken.tickets.length < count && scan.left > 0) {
      const ticket = lane.shift();
      if (!ticket) break;
      ticket.isInLane = false;
      if (!ticket.isHeld) continue;
      scan.left -= 1;
      const refusal = ticket.refusedTo?.get(party.personId);
      if (refusal === undefined) {
        this.removed(ticket);
        taken.tickets.push(ticket);
      } else {
        taken.passedOver.push({ unitId: ticket.unitId, why: refusal });
        kept.push(ticket);
      }
    }
    for (const ticket of kept.reverse()) {
      ticket.isInLane = true;
      lane.unshift(ticket);
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
    if (ticket.takenBy) this.begun.undo(ticket.unitId, ticket.takenBy);
    ticket.takenBy = null;
    this.restore(ticket);
  }

  /** To its place in its lane, or to its lane's front. */
  private restore(ticket: Ticket): void {
    if (!ticket.isInLane) this.laneOf(ticket).unshift(ticket);
    ticket.isInLane = true;
    ticket.isHeld = true;
    this.begun.add(ticket);
  }

  private removed(ticket: Ticket): void {
    ticket.isHeld = false;
    this.begun.remove(ticket);
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
          if (!ticket.isHeld) {
            ticket.isInLane = false;
            continue;
          }
          const isCrowding = ticket.refusedTo !== null && returned.length > REFUSED_MAX;
          const holdMs = isCrowding ? CROWDED_HOLD_MS : TICKET_HOLD_MS;
          if (isWanted && nowMs - ticket.heldSinceMs < holdMs) partOf(kept, ticket).push(ticket);
          else {
            ticket.isInLane = false;
            this.removed(ticket);
            old.push(ticket);
          }
        }
        lanes[at] = kept;
      }
    }
    return old;
  }

  get size(): number {
    return this.begun.size;
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
