import type { NoWorkReason } from '@gleaner/protocol';

/** Why a host got no (further) work. `units` counts the units that the cause kept away. */
export type NoWorkCause =
  | { readonly code: 'no-jobs' }
  | {
      readonly code: 'memory-too-small';
      readonly units: number;
      /** What has to be offered for the least demanding of them: more than is. */
      readonly neededMiB: number;
      readonly offeredMiB: number;
    }
  /** A browser asked: their app does not compute in steps, or they need more than a tab has. */
  | { readonly code: 'agents-only'; readonly units: number }
  | { readonly code: 'runtime-too-old'; readonly units: number; readonly neededVersion: string }
  | { readonly code: 'allowance-used'; readonly perDay: number; readonly resetsAt: Date }
  | {
      readonly code: 'too-many-in-progress';
      readonly inProgress: number;
      readonly cap: number;
      readonly countedCores: number;
      readonly cores: number;
    }
  | { readonly code: 'already-has-task'; readonly units: number }
  | { readonly code: 'needs-another-account'; readonly units: number }
  | { readonly code: 'unapproved-app'; readonly units: number }
  | { readonly code: 'host-held'; readonly reason: string }
  /** The owner asked it from afar. */
  | { readonly code: 'owner-paused'; readonly run: 'pause' | 'finish' }
  /** An operator paused everything. */
  | { readonly code: 'dispatch-paused'; readonly reason: string }
  | { readonly code: 'queue-empty' }
  /** With what is wrong with its queue, where units may wait that do not come through it. */
  | { readonly code: 'server-busy'; readonly queueTrouble?: string };

/** The reason as it travels: a code for programs, a count, and a sentence for the volunteer. */
export function noWorkReason(cause: NoWorkCause): NoWorkReason {
  return { code: cause.code, count: 'units' in cause ? cause.units : null, message: noWorkMessage(cause) };
}

function noWorkMessage(cause: NoWorkCause): string {
  switch (cause.code) {
    case 'no-jobs':
      return 'no job is running now';
    case 'memory-too-small':
      return `${units(cause.units)} ${cause.units === 1 ? 'needs' : 'need'} ${cause.neededMiB} MiB, you offer ${cause.offeredMiB}`;
    case 'agents-only':
      return `${units(cause.units)} cannot be computed in a browser: only agents get ${cause.units === 1 ? 'it' : 'them'}`;
    case 'runtime-too-old':
      return `${units(cause.units)} ${cause.units === 1 ? 'needs' : 'need'} sandbox ${cause.neededVersion}: update the agent`;
    case 'allowance-used':
      return `the allowance of ${cause.perDay} tasks a day is used, resets at ${minuteOf(cause.resetsAt)}`;
    case 'too-many-in-progress':
      return cause.countedCores < cause.cores
        ? `${cause.inProgress} tasks in progress of at most ${cause.cap}: this host counts as ${cause.countedCores} of its ${cause.cores} cores until more of its results are confirmed`
        : `${cause.inProgress} tasks in progress of at most ${cause.cap}: report some first`;
    case 'already-has-task':
      return `${units(cause.units)} already ${cause.units === 1 ? 'has' : 'have'} a task of yours`;
    case 'needs-another-account':
      return `${units(cause.units)} ${cause.units === 1 ? 'needs' : 'need'} a volunteer who is independent of you (account, network or name)`;
    case 'unapproved-app':
      return `${units(cause.units)} of apps that an operator has not approved yet`;
    case 'host-held':
      return `this host is held for review: ${cause.reason}`;
    case 'owner-paused':
      return cause.run === 'pause'
        ? 'its owner asked this host from afar to pause'
        : 'its owner asked this host from afar to finish what it has and take nothing new';
    case 'dispatch-paused':
      return `the operator has paused all work: ${cause.reason}`;
    case 'queue-empty':
      return 'every unit that is ready has been given out; more may follow';
    case 'server-busy':
      return cause.queueTrouble === undefined
        ? 'the coordinator is busy'
        : `the coordinator cannot give out units, as its queue is in trouble: ${cause.queueTrouble}`;
  }
}

function units(count: number): string {
  return count === 1 ? '1 unit' : `${count} units`;
}

/** As a person reads it, also in a terminal that knows nothing of where they are. */
function minuteOf(instant: Date): string {
  return `${instant.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
