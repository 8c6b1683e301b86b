import type { TaskDesk } from './task-desk.js';
import type { WorkRequests } from './work-requests.js';
import type { WorkerPhase } from './worker-events.js';

/** What the worker is in while nobody stops it. */
export function phaseOf(
  { allowance, mayAsk }: WorkRequests,
  { inHand }: TaskDesk,
): 'working' | 'waiting' | 'paused' {
  const hasCore = allowance.cores > 0;
  if (hasCore && inHand.running > 0) return 'working';
  return hasCore || mayAsk ? 'waiting' : 'paused';
}

/** One sentence: what it does, or why it does nothing. */
export function reasonOf(phase: WorkerPhase, requests: WorkRequests, desk: TaskDesk): string {
  const { allowance, mayAsk, waitingFor, awayBecause } = requests;
  if (phase === 'stopping') {
    return 'stopping: keeping what can be gone on with, returning the rest to the coordinator';
  }
  if (phase === 'stopped') return waitingFor;
  if (phase === 'paused') return allowance.reason;
  const { running, inHand } = desk;
  const waitsForTurn = allowance.cores === 0 && running.length + inHand.buffered > 0;
  if (waitsForTurn) return allowance.reason;
  if (running.length === 0) return mayAsk ? waitingFor : allowance.reason;
  const names = [...new Set(running.map((task) => task.jobName))];
  const working = `working on ${running.length} ${running.length === 1 ? 'task' : 'tasks'} of ${names.join(', ')}`;
  // Results pile up meanwhile, and whoever sees that wants to know why.
  return awayBecause === null ? working : `${working}, for now without the coordinator: ${awayBecause}`;
}
