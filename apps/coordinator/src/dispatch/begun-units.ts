import type { Party } from '@gleaner/domain';

/** Units whose volunteers are remembered. Of one that was forgotten, tickets are handed out like any others. */
export const REMEMBERED_UNITS_MAX = 10_000;
/** Units that are forgotten at once: to find a map's first key takes long where many before it were deleted. */
export const FORGOTTEN_UNITS = 500;
/** Units that one request looks at in vain. */
export const BEGUN_SCAN_MAX = 32;

/** A ticket that is held in memory, as far as this goes. */
interface UnitTicket {
  readonly unitId: number;
}

/**
 * Which of the held tickets belong to units that somebody computes already. These come first: a unit counts once independent
 * volunteers agree, so that what is begun by one of few volunteers would otherwise wait until the others had come so far. New
 * hosts with their small allowances would never get there.
 */
export class BegunUnits<T extends UnitTicket> {
  private readonly held = new Map<number, T[]>();
  private readonly volunteers = new Map<number, Party[]>();
  /** Those with volunteers and with tickets that are held; what was begun first comes first. */
  private readonly open = new Set<number>();

  /** Tickets that are held. */
  size = 0;

  /** A ticket is held from now on. */
  add(ticket: T): void {
    const { unitId } = ticket;
    const tickets = this.held.get(unitId);
    if (tickets) tickets.push(ticket);
    else this.held.set(unitId, [ticket]);
    this.size += 1;
    if (this.volunteers.has(unitId)) this.open.add(unitId);
  }

  /** The ticket was taken, or given back to its queue. */
  remove(ticket: T): void {
    const { unitId } = ticket;
    const tickets = this.held.get(unitId) ?? [];
    const at = tickets.indexOf(ticket);
    if (at < 0) return;
    this.size -= 1;
    tickets.splice(at, 1);
    if (tickets.length > 0) return;
    this.held.delete(unitId);
    this.open.delete(unitId);
  }

  /** Somebody is to compute a unit. */
  begin(unitId: number, volunteer: Party): void {
    const volunteers = this.volunteers.get(unitId);
    if (volunteers) {
      volunteers.push(volunteer);
      return;
    }
    if (this.volunteers.size >= REMEMBERED_UNITS_MAX) this.forgetOldest();
    this.volunteers.set(unitId, [volunteer]);
    if (this.held.has(unitId)) this.open.add(unitId);
  }

  /** Somebody who was not known of, and maybe some who were, compute a unit, or have: another coordinator gave it to them. */
  learn(unitId: number, volunteers: readonly Party[]): void {
    const known = new Set(this.volunteers.get(unitId)?.map(({ hostId }) => hostId));
    for (const volunteer of volunteers) if (!known.has(volunteer.hostId)) this.begin(unitId, volunteer);
  }

  /** It came to nothing. */
  undo(unitId: number, volunteer: Party): void {
    const volunteers = this.volunteers.get(unitId) ?? [];
    const at = volunteers.indexOf(volunteer);
    if (at < 0) return;
    volunteers.splice(at, 1);
    if (volunteers.length === 0) this.forget(unitId);
  }

  /**
   * One held ticket of each of the units that were begun first, up to `count`, which stay where they are.
   *
   * @param mayTake says which the asker can have
   */
  first(count: number, mayTake: (ticket: T, volunteers: readonly Party[]) => boolean): FirstBegun<T> {
    const tickets: T[] = [];
    const inVain: number[] = [];
    for (const unitId of this.open) {
      if (tickets.length >= count || inVain.length >= BEGUN_SCAN_MAX) break;
      const volunteers = this.volunteers.get(unitId) ?? [];
      const ticket = this.held.get(unitId)?.find((each) => mayTake(each, volunteers));
      if (ticket) tickets.push(ticket);
      else inVain.push(unitId);
    }
    return { tickets, inVain };
  }

  /** Others come before these units from now on: nobody who asks may be able to have them. */
  moveBack(unitIds: readonly number[]): void {
    for (const unitId of unitIds) {
      if (this.open.delete(unitId)) this.open.add(unitId);
    }
  }

  private forgetOldest(): void {
    let left = FORGOTTEN_UNITS;
    for (const unitId of this.volunteers.keys()) {
      if (left === 0) return;
      left -= 1;
      this.forget(unitId);
    }
  }

  private forget(unitId: number): void {
    this.volunteers.delete(unitId);
    this.open.delete(unitId);
  }
}

interface FirstBegun<T> {
  readonly tickets: readonly T[];
  /** Units that were looked at in vain. */
  readonly inVain: readonly number[];
}
