import type { Party, UnitClass } from '@gleaner/domain';
import type { Ticket, TicketRefusal } from './ticket.js';

/** Who asks, as far as choosing tickets goes. */
export interface Taker {
  readonly party: Party & { readonly personId: string };
  /** In the order of their turns. */
  readonly classes: readonly UnitClass[];
  /** Those of them, the first ones, whose turns are about as far: what others have begun in these comes before anything else. */
  readonly abreast: readonly UnitClass[];
  /** The taker can compute this ticket's unit beside these volunteers. */
  readonly canJoin: (volunteers: readonly Party[], ticket: Ticket) => boolean;
  /** The taker holds the chunks that this ticket's unit needs: such tickets come first. Left out: no preference. */
  readonly prefers?: ((ticket: Ticket) => boolean) | undefined;
}

/** A ticket that this taker was refused before. */
export interface PassedTicket {
  readonly unitId: number;
  readonly why: TicketRefusal;
}

export interface TakenTickets {
  readonly tickets: readonly Ticket[];
  readonly passedOver: readonly PassedTicket[];
}
