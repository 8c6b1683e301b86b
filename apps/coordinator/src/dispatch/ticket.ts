import type { NoWorkCause, Party, UnitClass } from '@gleaner/domain';

/** Why one person cannot have a ticket that others can have. */
export type TicketRefusal = Extract<
  NoWorkCause['code'],
  'already-has-task' | 'needs-another-account' | 'runtime-too-old' | 'unapproved-app'
>;

/** A queue job in memory: it is done when each of its tickets was handed out, dropped or returned. */
export interface HeldBatch {
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
  /** Who was given it last, until it is put back. */
  takenBy: Party | null;
  /** In its lane, while somebody can have it. */
  place: TicketPlace | null;
}

/** Where a ticket lies in its lane; empty once it was taken. */
export interface TicketPlace {
  ticket: Ticket | null;
}
