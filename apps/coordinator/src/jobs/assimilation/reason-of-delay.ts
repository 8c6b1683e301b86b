import { translateError } from '../../http/index.js';

/** What whoever waits for a job's answer is told of an attempt to make it that failed and is repeated. */
export function reasonOfDelay(error: unknown): string {
  // Other messages name files and statements.
  return translateError(error).code === 'insufficient-storage'
    ? "there was no room for its answer on the coordinator's disk; it is tried again: delete jobs that are no longer needed, or ask the operator for room"
    : "its answer could not be put together; it is tried again, and the coordinator's log says what was in the way";
}
