import type { Id } from '../units/index.js';

export interface JobDemand {
  readonly jobId: Id;
  /** Weight, at least 1. */
  readonly share: number;
  /** Tickets that the job could put on the queues now. */
  readonly backlog: number;
  /** Its tickets that wait on the queues already. */
  readonly queued: number;
}

/**
 * Divides `capacity` new tickets among jobs so that what waits on the queues is as nearly in proportion to the shares as
 * backlogs allow (weighted max-min fairness, by water-filling). What one job cannot use goes to the others.
 *
 * @returns tickets of each job, in the order given; together min(capacity, all backlogs)
 */
export function shareTickets(jobs: readonly JobDemand[], capacity: number): readonly number[] {
  const total = jobs.reduce((sum, job) => sum + job.backlog, 0);
  if (total <= capacity) return jobs.map((job) => job.backlog);
  const level = waterLevel(jobs, capacity);
  const grants = jobs.map((job) => Math.floor(ticketsAtLevel(job, level)));
  let left = capacity - grants.reduce((sum, grant) => sum + grant, 0);
  // Rounding's remainder goes where the waiting tickets are fewest for the share.
  const byNeed = jobs
    .map((job, at) => ({ at, need: (job.queued + (grants[at] ?? 0)) / job.share }))
    .sort((a, b) => a.need - b.need || a.at - b.at);
  while (left > 0) {
    for (const { at } of byNeed) {
      const grant = grants[at] ?? 0;
      if (left === 0 || grant >= (jobs[at]?.backlog ?? 0)) continue;
      grants[at] = grant + 1;
      left -= 1;
    }
  }
  return grants;
}

/**
 * One row of what several jobs put on the queues, of which every stretch has about each job's part. One job's behind another's would
 * give all volunteers of the next seconds, or minutes, to the first.
 *
 * @param ofJobs each in its own order, which it keeps
 */
export function interleave<T>(ofJobs: ReadonlyArray<readonly T[]>): T[] {
  return ofJobs
    .flatMap((ofJob) => ofJob.map((item, at) => ({ item, place: (at + 0.5) / ofJob.length })))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

function ticketsAtLevel(job: JobDemand, level: number): number {
  return Math.min(job.backlog, Math.max(0, level * job.share - job.queued));
}

/** The highest level (waiting tickets per unit of share) whose tickets fit the capacity, by bisection. */
function waterLevel(jobs: readonly JobDemand[], capacity: number): number {
  let low = 0;
  let high = jobs.reduce((most, job) => Math.max(most, (job.queued + job.backlog) / job.share), 0);
  for (let step = 0; step < 64 && low < high; step += 1) {
    const middle = (low + high) / 2;
    const needed = jobs.reduce((sum, job) => sum + ticketsAtLevel(job, middle), 0);
    if (needed > capacity) high = middle;
    else low = middle;
  }
  return low;
}
