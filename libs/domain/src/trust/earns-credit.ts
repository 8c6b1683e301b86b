import type { Id } from '../units/index.js';

/**
 * Whether a task can earn credit at all: only approved apps do (anyone could mint cycles with code that the optimiser
 * removes), never for the job's own submitter, and not on a host that is held for review.
 */
export function earnsCredit(of: {
  readonly isAppApproved: boolean;
  readonly isHostHeld: boolean;
  readonly personId: Id;
  readonly submitterPersonId: Id;
}): boolean {
  return of.isAppApproved && !of.isHostHeld && of.personId !== of.submitterPersonId;
}

/** An app that no operator approved runs only on its submitter's own hosts. */
export function mayRunApp(of: {
  readonly isAppApproved: boolean;
  readonly personId: Id;
  readonly submitterPersonId: Id;
}): boolean {
  return of.isAppApproved || of.personId === of.submitterPersonId;
}
