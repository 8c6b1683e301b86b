/** Queues that one feature adds to and another works on, and what their jobs carry. */
export const QUEUES = {
  /** A submitted job: turn it into work units. */
  split: 'split',
  /** Puts tickets of ready units on the dispatch queues. */
  fill: 'fill',
  /** Units whose tasks changed: decide what follows. */
  validate: 'validate',
  /** A job whose units are all settled: fold the canonical results. */
  assimilate: 'assimilate',
  /** A job that was cancelled, failed or deleted: settle or remove its units. */
  clean: 'clean',
  /** Finds jobs whose announcement for splitting, assimilating or cleaning was lost. */
  jobSweep: 'job-sweep',
  /** Removes content that nobody needs any more. */
  blobSweep: 'blob-sweep',
  /** Accounts that turned out to be one person's: look again at the units they validated. */
  link: 'link',
  /** Hosts that are no longer held: look for what they are owed. */
  release: 'release',
  /** Finds what announcements were lost. */
  sweep: 'sweep',
  /** Takes new credit into the leaderboards. */
  boards: 'boards',
  /** Looks for credit that the leaderboards missed, and measures how long they are. */
  boardUpkeep: 'board-upkeep',
  /** Makes all rows of the leaderboards anew from the ledger. */
  boardRebuild: 'board-rebuild',
  /** Adds new credit to the statistics' hours and days. */
  statistics: 'statistics',
  /** Counts the days that are over a last time. */
  statisticsClose: 'statistics-close',
} as const;

export interface ValidateData {
  readonly units: readonly number[];
}

/** `jobId` as a decimal string. */
export interface SplitData {
  readonly jobId: string;
}

/** `jobId` as a decimal string. */
export interface CleanData {
  readonly jobId: string;
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
  /** They were refused to whoever asked: others go first. Left out where no coordinator gave them back yet. */
  readonly returned?: boolean;
}

export function dispatchQueueName(unitClass: string, lane: number): string {
  return `dispatch-${unitClass}-${lane}`;
}
