import { randomUUID } from 'node:crypto';
import { type Job, job as jobSchema, type JobSpec } from '@gleaner/protocol';
import { note } from '../terminal/output.js';
import { LostAnswerError } from './answers-of-others.js';
import type { ApiClient } from './api-client.js';

export interface SubmittedOnce {
  readonly project: string;
  readonly spec: JobSpec;
  /** Drawn where nobody named one. */
  readonly idempotencyKey: string | undefined;
}

/** Submits a job; whoever does not hear whether that came about is told how to ask again without making a second one. */
export async function submitJob(
  api: ApiClient,
  { project, spec, idempotencyKey = randomUUID() }: SubmittedOnce,
  signal: AbortSignal,
): Promise<Job> {
  try {
    return await api.request('/v1/jobs', jobSchema, {
      method: 'POST',
      json: { project, spec },
      headers: { 'idempotency-key': idempotencyKey },
    });
  } catch (error) {
    if (signal.aborted || error instanceof LostAnswerError) {
      note(
        `The job may be submitted all the same: with --idempotency-key ${idempotencyKey} the same command makes no second one.`,
      );
    }
    throw error;
  }
}
