import type { Job } from '@gleaner/protocol';
import { CliError } from '../cli-error.js';
import { note } from '../terminal/output.js';
import { ProgressBar } from '../terminal/progress-bar.js';
import type { ApiClient } from './api-client.js';
import { followJob } from './follow-job.js';

/** A line on stderr when nothing has happened for this long, with the coordinator's reason. */
const REASON_AFTER_MS = 30_000;

/** Shows a job's progress on stderr until it ends, and returns it. */
export async function watchJob(api: ApiClient, id: string, signal: AbortSignal): Promise<Job> {
  const bar = new ProgressBar({ label: 'Units', total: 0, unit: 'units' });
  let last: Job | undefined;
  let told = '';
  const say = (text: string): void => {
    bar.aside(() => {
      note(text);
    });
  };
  const tell = (job: Job): void => {
    const reason = reasonOfWaiting(job);
    // Once: it may wait all night.
    if (reason !== told) say(reason);
    told = reason;
  };
  const tellAbsent = (why: string): void => say(`${why}\nIt is asked again for a minute.`);
  const reasonTimer = setInterval(() => {
    if (last) tell(last);
  }, REASON_AFTER_MS);
  try {
    for await (const job of followJob(api, id, signal, tellAbsent)) {
      if (last === undefined) bar.startAt(settledUnits(job));
      if (last === undefined || progressOf(job) !== progressOf(last)) reasonTimer.refresh();
      last = job;
      bar.update(settledUnits(job), job.units.total);
      // It goes on only when somebody says so.
      if (job.state === 'paused') tell(job);
      if (job.finishedAt !== null) return job;
    }
  } finally {
    clearInterval(reasonTimer);
    bar.end();
  }
  throw new CliError(`Job ${id} cannot be followed any longer`);
}

function settledUnits({ units }: Job): number {
  return units.valid + units.failed + units.cancelled;
}

function progressOf(job: Job): string {
  return `${job.state} ${settledUnits(job)} ${job.tasks}`;
}

function reasonOfWaiting(job: Job): string {
  const reason = `${job.state}: ${job.stateReason ?? waitingReason(job)}`;
  return job.state === 'paused' ? `${reason}\n${waysOn(job)}` : reason;
}

/** What a scientist can do about a job that is paused. */
export function waysOn({ id, units }: Job): string {
  const ways = `to go on: gleaner job resume ${id}; to end it: gleaner job cancel ${id}`;
  return units.failed > 0 ? `why units failed: gleaner job units ${id} --state failed; ${ways}` : ways;
}

function waitingReason({ units, blockedReason }: Job): string {
  if (units.blocked > 0) return `${units.blocked} units wait: ${blockedReason ?? 'no reason is known'}`;
  if (units.awaitingOutput > 0) return `${units.awaitingOutput} units wait for their output`;
  return `${units.open} units are with volunteers or wait for one`;
}
