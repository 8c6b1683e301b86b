/** Queues that one feature adds to and another works on, and what their jobs carry. */
export const QUEUES = {
  /** Puts tickets of ready units on the dispatch queues. */
  fill: 'fill',
  /** Units whose tasks changed: decide what follows. */
  validate: 'validate',
  /** A job whose units are all settled: fold the canonical results. */
  assimilate: 'assimilate',
  /** Finds what announcements were lost. */
  sweep: 'sweep',
} as const;

export interface ValidateData {
  readonly units: readonly number[];
  /** Also units that just wait for a volunteer: notes what they wait for. */
  readonly all?: boolean;
}

/** `jobId` as a decimal string. */
export interface AssimilateData {
  readonly jobId: string;
}

/** Ticket of one task to be: `[unitId, ordinal, jobId]`. */
export type TicketData = readonly [unitId: number, ordinal: number, jobId: number];

export interface DispatchData {
  /** When the oldest of the tickets was first put on a queue; Unix milliseconds. */
  readonly at: number;
  readonly units: readonly TicketData[];
}

export function dispatchQueueName(unitClass: string, lane: number): string {
  return `dispatch-${unitClass}-${lane}`;
}
