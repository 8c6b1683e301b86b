/** Tickets of a class that wait on its queues: few while volunteers are slow, so that a new job need not wait for long. */
export const MIN_QUEUE_DEPTH = 256;
export const MAX_QUEUE_DEPTH = 65_536;

/** How the queues of a class were last filled. */
export interface QueueDepth {
  /** That were to wait. */
  readonly tickets: number;
  /** Whether the jobs had units enough for that. */
  readonly hadBacklog: boolean;
}

export const FIRST_QUEUE_DEPTH: QueueDepth = { tickets: MIN_QUEUE_DEPTH, hadBacklog: false };

/**
 * The depth for the next filling: twice as deep when volunteers nearly used up full queues, half as deep while they took
 * hardly anything. Empty queues say nothing of them where the jobs had not enough to fill them, and a depth that such a
 * time left behind would let the next large job put all of itself before those that come after it.
 *
 * @param waiting tickets on the queues now
 * @returns tickets, from {@link MIN_QUEUE_DEPTH} to {@link MAX_QUEUE_DEPTH}
 */
export function nextQueueDepth({ tickets, hadBacklog }: QueueDepth, waiting: number): number {
  if (!hadBacklog || waiting > (tickets * 3) / 4) return Math.max(MIN_QUEUE_DEPTH, tickets / 2);
  return waiting < tickets / 4 ? Math.min(MAX_QUEUE_DEPTH, tickets * 2) : tickets;
}
