import type { JobState } from '@gleaner/protocol';

/** What a job that is not over may wait for without any unit of it being the cause. */
export interface JobCircumstances {
  readonly state: JobState;
  /** `NAME@VERSION`. */
  readonly app: string;
  readonly isAppApproved: boolean;
  /** Null while a worker is at work. */
  readonly workersGoneSince: Date | null;
  /** What is wrong with the queue; null: nothing is known to be. */
  readonly queueTrouble: string | null;
}

/** Why a job does not go on, in words for its scientist; null where nothing but time is missing, or somebody paused it. */
export function whyJobWaits(job: JobCircumstances): string | null {
  const isGivenOut = job.state === 'splitting' || job.state === 'running';
  const isWorkedOn = isGivenOut || job.state === 'assimilating';
  // A coordinator that only answers requests splits, checks and merges nothing, and looks alive all the same.
  if (isWorkedOn && job.workersGoneSince !== null)
    return `the coordinator's worker, which splits, checks and merges, has not been at work since ${job.workersGoneSince.toISOString()}`;
  if (isWorkedOn && job.queueTrouble !== null)
    return `the coordinator's queue, by which jobs are split, given out, checked and merged, is in trouble: ${job.queueTrouble}`;
  // Nobody but its submitter is given work of such a job, and one person's results settle no unit with a quorum of two.
  if (isGivenOut && !job.isAppApproved)
    return `${job.app} is not approved: until an operator approves it, it runs only on its submitter's own hosts`;
  return null;
}
