import type { HostKind } from '@gleaner/protocol';
import type { NoWorkCause } from '../trust/index.js';

const AGENT_HEARTBEAT_MS = 5 * 60 * 1000;
const BROWSER_HEARTBEAT_MS = 60 * 1000;
const SERVED_RETRY_MS = 0;
const USUAL_RETRY_MS = 5_000;
const BUSY_RETRY_MS = 2_000;
const SOON_RETRY_MS = 1_000;

/** How often a host tells of its running tasks, in milliseconds: tabs are closed without a word, machines seldom. */
export function heartbeatMs(kind: HostKind): number {
  return kind === 'browser' ? BROWSER_HEARTBEAT_MS : AGENT_HEARTBEAT_MS;
}

/** How soon a host may ask for work again, in milliseconds: as soon as the first of the causes may be over; at once without any. */
export function retryAfterMs(causes: readonly Pick<NoWorkCause, 'code'>[]): number {
  if (causes.length === 0) return SERVED_RETRY_MS;
  return Math.min(...causes.map(({ code }) => retryAfterCauseMs(code)));
}

function retryAfterCauseMs(code: NoWorkCause['code']): number {
  switch (code) {
    case 'queue-empty':
    case 'too-many-in-progress':
      return SOON_RETRY_MS;
    case 'server-busy':
      return BUSY_RETRY_MS;
    case 'no-jobs':
    case 'memory-too-small':
    case 'agents-only':
    case 'runtime-too-old':
    case 'already-has-task':
    case 'needs-another-account':
    case 'unapproved-app':
    case 'host-held':
    case 'owner-paused':
    case 'dispatch-paused':
    // Not its reset: the allowance grows as soon as others confirm what the host has reported.
    case 'allowance-used':
      return USUAL_RETRY_MS;
  }
}
