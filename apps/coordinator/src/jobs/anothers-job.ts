import { DomainError } from '../http/index.js';

/** Why a change is refused to who may look at the job: others are told that it is not there. */
export function anothersJob(jobId: string): DomainError {
  return new DomainError(
    'forbidden',
    `Job ${jobId} is another scientist's: you may look at it, not change it.`,
  );
}
