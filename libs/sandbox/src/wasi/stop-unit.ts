import type { UnitTrapKind } from '../runner/types.js';

/** Why a host call ends the unit at once. */
export type StopReason =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'cycle-limit' }
  | { readonly kind: 'output-limit' }
  | { readonly kind: 'trap'; readonly trapKind: UnitTrapKind; readonly message: string };

/** Thrown by a host call to leave the app for good; no admitted module can catch it. */
export class StopUnit extends Error {
  readonly reason: StopReason;
  constructor(reason: StopReason) {
    super(`unit stopped: ${reason.kind}`);
    this.name = 'StopUnit';
    this.reason = reason;
  }
}
