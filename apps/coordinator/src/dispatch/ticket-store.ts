import {
  laneOfTicket,
  lanesInOrder,
  LOCALITY_LOOKAHEAD,
  LOCALITY_PATIENCE_REQUESTS,
  type Party,
  preferHeld,
  type UnitClass,
} from '@gleaner/domain';
import type { DispatchData } from '../queue/index.js';
import { BegunUnits } from './begun-units.js';
import { Deque } from './deque.js';
import type { PassedTicket, TakenTickets, Taker } from './taker.js';
import type { HeldBatch, Ticket, TicketPlace, TicketRefusal } from './ticket.js';

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

/** By unit; what was begun first comes first. */
export type Volunteers = ReadonlyMap<number, readonly Party[]>;
const NOBODY: Volunteers = new Map();

const NEW_TICKET = { refusedTo: null, takenBy: null, place: null };

/** What there is for a request, before anything of it is taken. */
interface Look {
  readonly tickets: Set<Ticket>;
  readonly passedOver: PassedTicket[];
  /** Units that others have begun and that the taker cannot have. */
  readonly inVain: Map<BegunUnits<Ticket>, readonly number[]>;
}

/** Tickets of one lane: those that were refused to somebody before come after the fresh ones. */
interface Lane {
  readonly fresh: Deque<TicketPlace>;
  readonly returned: Deque<TicketPlace>;
}

/** The tickets that a coordinator holds in memory: those of units that are begun first, the others by class and lane, oldest first. */
export class TicketStore {
  private readonly begun = new Map<UnitClass, BegunUnits<Ticket>>();
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

  /**
   * Holds the tickets of a queue job. Resolves when none of them is held any more.
   *
   * @param begunBy volunteers of their units, as far as others than this coordinator know of them
   */
  hold(unitClass: UnitClass, data: DispatchData, begunBy: Volunteers = NOBODY): Promise<void> {
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
        ticket.place = { ticket };
        this.laneOf(ticket).push(ticket.place);
        this.begunOf(unitClass).add(ticket);
      }
      for (const [unitId, volunteers] of begunBy) this.begunOf(unitClass).learn(unitId, volunteers);
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
    this.requests += 1;
    const { prefers } = taker;
    const look = this.look(taker, prefers ? count + LOCALITY_LOOKAHEAD : count, this.requests);
    const tickets = prefers ? this.preferred([...look.tickets], prefers, count) : [...look.tickets];
    for (const [begun, unitIds] of look.inVain) begun.moveBack(unitIds);
    for (const ticket of tickets) {
      this.takeOut(ticket);
      ticket.takenBy = taker.party;
      this.begunOf(ticket.unitClass).begin(ticket.unitId, taker.party);
    }
    return { tickets, passedOver: look.passedOver };
  }

  private preferred(
    tickets: readonly Ticket[],
    prefers: (ticket: Ticket) => boolean,
    count: number,
  ): readonly Ticket[] {
    const isDue = ({ jobId }: Ticket): boolean =>
      (this.passesByJob.get(jobId) ?? 0) >= LOCALITY_PATIENCE_REQUESTS;
    const { chosen, rest } = preferHeld(tickets, (ticket) => prefers(ticket) || isDue(ticket), count);
    this.notePasses(chosen, rest);
    return chosen;
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

  /** The tickets that {@link take} would choose among for this many; they stay where they are. */
  glance(taker: Taker, count: number): readonly Ticket[] {
    return [...this.look(taker, count + LOCALITY_LOOKAHEAD, this.requests + 1).tickets];
  }

  private look(taker: Taker, count: number, request: number): Look {
    const look: Look = { tickets: new Set(), passedOver: [], inVain: new Map() };
    const isTurnOfRefused = request % REFUSED_TURN_REQUESTS === 0;
    const { classes, abreast } = taker;
    // Looking at refused ones in vain is no reason to give up before the fresh ones.
    if (isTurnOfRefused) this.lookAtLanes('returned', classes, taker, count, look, { left: SCAN_MAX });
    const scan = { left: SCAN_MAX };
    // Of classes that are ahead nothing comes first, or hosts of the others would do what any host can do.
    for (const group of [abreast, ...classes.slice(abreast.length).map((unitClass) => [unitClass])]) {
      for (const unitClass of group) this.lookAtBegun(unitClass, taker, count, look);
      this.lookAtLanes('fresh', group, taker, count, look, scan);
    }
    if (!isTurnOfRefused) this.lookAtLanes('returned', classes, taker, count, look, scan);
    return look;
  }

  private lookAtBegun(unitClass: UnitClass, { party, canJoin }: Taker, count: number, look: Look): void {
    if (look.tickets.size >= count) return;
    const begun = this.begunOf(unitClass);
    const { tickets, inVain } = begun.first(
      count - look.tickets.size,
      (ticket, volunteers) =>
        !look.tickets.has(ticket) && !ticket.refusedTo?.has(party.personId) && canJoin(volunteers, ticket),
    );
    for (const ticket of tickets) look.tickets.add(ticket);
    look.inVain.set(begun, inVain);
  }

  private lookAtLanes(
    part: keyof Lane,
    classes: readonly UnitClass[],
    { party }: Taker,
    count: number,
    look: Look,
    scan: { left: number },
  ): void {
    const order = lanesInOrder(party.accountId, this.laneCount);
    for (const unitClass of classes) {
      const lanes = this.lanes.get(unitClass);
      if (!lanes) continue;
      for (const at of order) {
        const lane = lanes[at];
        if (lane) lookAtPlaces(lane[part], party, count, look, scan);
        if (look.tickets.size >= count || scan.left === 0) return;
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
    const begun = this.begunOf(ticket.unitClass);
    if (ticket.takenBy) begun.undo(ticket.unitId, ticket.takenBy);
    ticket.takenBy = null;
    ticket.place = { ticket };
    this.laneOf(ticket).unshift(ticket.place);
    begun.add(ticket);
  }

  private takeOut(ticket: Ticket): void {
    if (ticket.place) ticket.place.ticket = null;
    ticket.place = null;
    this.begunOf(ticket.unitClass).remove(ticket);
  }

  /** Takes out what has to go back to its queue: tickets held too long, and those of `classes`. */
  takeOld({ all = false, classes }: { all?: boolean; classes?: ReadonlySet<UnitClass> } = {}): Ticket[] {
    const nowMs = this.now();
    const old: Ticket[] = [];
    for (const [unitClass, lanes] of this.lanes) {
      const isWanted = !all && !classes?.has(unitClass);
      for (const [at, { fresh, returned }] of lanes.entries()) {
        const kept: Lane = { fresh: new Deque(), returned: new Deque() };
        for (const place of [...fresh, ...returned]) {
          const { ticket } = place;
          if (!ticket) continue;
          const isCrowding = ticket.refusedTo !== null && returned.length > REFUSED_MAX;
          const holdMs = isCrowding ? CROWDED_HOLD_MS : TICKET_HOLD_MS;
          if (isWanted && nowMs - ticket.heldSinceMs < holdMs) partOf(kept, ticket).push(place);
          else {
            this.takeOut(ticket);
            old.push(ticket);
          }
        }
        lanes[at] = kept;
      }
    }
    return old;
  }

  get size(): number {
    return [...this.begun.values()].reduce((sum, { size }) => sum + size, 0);
  }

  private begunOf(unitClass: UnitClass): BegunUnits<Ticket> {
    let begun = this.begun.get(unitClass);
    if (!begun) {
      begun = new BegunUnits();
      this.begun.set(unitClass, begun);
    }
    return begun;
  }

  private laneOf(ticket: Ticket): Deque<TicketPlace> {
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

function partOf(lane: Lane, ticket: Ticket): Deque<TicketPlace> {
  return ticket.batch.isReturned || ticket.refusedTo ? lane.returned : lane.fresh;
}

/** Adds to `look` what these places have for somebody. */
function lookAtPlaces(
  places: Deque<TicketPlace>,
  { personId }: Taker['party'],
  count: number,
  look: Look,
  scan: { left: number },
): void {
  // Empty ones would be passed by each request anew.
  while (places.first?.ticket === null) places.shift();
  for (const { ticket } of places) {
    if (look.tickets.size >= count || scan.left === 0) return;
    if (!ticket || look.tickets.has(ticket)) continue;
    scan.left -= 1;
    const why = ticket.refusedTo?.get(personId);
    if (why === undefined) look.tickets.add(ticket);
    else look.passedOver.push({ unitId: ticket.unitId, why });
  }
}
