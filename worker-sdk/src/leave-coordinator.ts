import type { HostState } from '@gleaner/protocol';
import type { CoordinatorClient } from './coordinator-client.js';
import type { ClosedDesk, TaskDesk } from './task-desk.js';

/** Time that the last reports and the return of leases may take. */
const LEAVE_WITHIN_MS = 10_000;

export interface LeavingComponents {
  readonly client: Pick<CoordinatorClient, 'work' | 'heartbeat'>;
  readonly desk: Pick<TaskDesk, 'unreported' | 'forget'>;
  /** The call that hands in these reports and asks for nothing. */
  readonly callWith: (
    reports: ReturnType<TaskDesk['unreported']['due']>,
  ) => Parameters<CoordinatorClient['work']>[0];
}

/**
 * Hands in what is finished, gives back what is not kept, and forgets it. What cannot be said in time stays on the disk:
 * results are reported, and tasks computed, by the next run.
 *
 * @throws {CoordinatorError} when the coordinator does not hear it
 */
export async function leaveCoordinator(components: LeavingComponents, closed: ClosedDesk): Promise<void> {
  const { client, desk } = components;
  const signal = AbortSignal.timeout(LEAVE_WITHIN_MS);
  await handIn(components, signal);
  const { returned, kept } = closed;
  const running = kept.map((taskId) => ({ taskId }));
  // Who leaves gives everything back: also what the next run still has to report, for others to compute once more.
  const leaving = kept.length === 0 && desk.unreported.size === 0;
  const state: HostState = { phase: 'stopped', reason: 'stopped' };
  await client.heartbeat({ running, returned: [...returned], leaving, state }, signal);
  await desk.forget(closed);
}

/** In as many calls as it takes, until what is left is what the coordinator cannot store now. */
async function handIn(
  { client, desk: { unreported }, callWith }: LeavingComponents,
  signal: AbortSignal,
): Promise<void> {
  for (let before = Infinity; unreported.size > 0 && unreported.size < before;) {
    before = unreported.size;
    const answer = await client.work(callWith(unreported.due(Infinity)), signal);
    await unreported.answered(answer.reports, Infinity);
  }
}
