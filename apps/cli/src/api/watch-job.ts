import { setTimeout as delay } from 'node:timers/promises';
import { job as jobSchema, type Job } from '@gleaner/protocol';
import { note } from '../terminal/output.js';
import { ProgressBar } from '../terminal/progress-bar.js';
import type { ApiClient } from './api-client.js';

const POLL_MS = 500;
/** A line on stderr when nothing has happened for this long, with the coordinator's reason. */
const REASON_AFTER_MS = 30_000;

/** Shows a job's progress on stderr until it ends, and returns it. */
export async function watchJob(api: ApiClient, id: string, signal: AbortSignal): Promise<Job> {
  const bar = new ProgressBar({ label: 'Units', total: 0, unit: 'units' });
  let lastState = '';
  let lastChangeMs = Date.now();
  for (;;) {
    const job = await api.request(`/v1/jobs/${id}`, jobSchema, { signal });
    const { units } = job;
    const settled = units.valid + units.failed + units.cancelled;
    bar.update(settled, units.total);
    if (isEnded(job)) {
      bar.end();
      return job;
    }
    const state = `${job.state} ${settled} ${job.tasks}`;
    if (state !== lastState) {
      lastState = state;
      lastChangeMs = Date.now();
    } else if (Date.now() - lastChangeMs > REASON_AFTER_MS) {
      lastChangeMs = Date.now();
      note(`${job.state}: ${job.stateReason ?? waitingReason(job)}`);
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

function isEnded(job: Job): boolean {
  return job.state === 'completed' || job.state === 'failed' || job.state === 'cancelled';
}

function waitingReason({ units }: Job): string {
  if (units.blocked > 0) return `${units.blocked} units wait for a volunteer on another account`;
  if (units.awaitingOutput > 0) return `${units.awaitingOutput} units wait for their output`;
  return `${units.open} units are with volunteers or wait for one`;
}
