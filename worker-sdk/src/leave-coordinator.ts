import type { HostState } from '@gleaner/protocol';
import type { CoordinatorClient } from './coordinator-client.js';
import type { ClosedDesk, TaskDesk } from './task-desk.js';

/** Time that the last report and the return of leases may take. */
const LEAVE_WITHIN_MS = 10_000;

export interface LeavingComponents {
  readonly client: CoordinatorClient;
  readonly desk: TaskDesk;
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
export async function leaveCoordinator(
  { client, desk, callWith }: LeavingComponents,
  closed: ClosedDesk,
): Promise<void> {
  const signal = AbortSignal.timeout(LEAVE_WITHIN_MS);
  const reports = desk.unreported.due(Number.POSITIVE_INFINITY);
  if (reports.length > 0) {
    const answer = await client.work(callWith(reports), signal);
    await desk.unreported.answered(answer.reports, Number.POSITIVE_INFINITY);
  }
  const { returned, kept } = closed;
  const running = kept.map((taskId) => ({ taskId }));
  // Who leaves gives everything back.
  const leaving = kept.length === 0;
  const state: HostState = { phase: 'stopped', reason: 'stopped' };
  await client.heartbeat({ running, returned: [...returned], leaving, state }, signal);
  await desk.forget(closed);
}
