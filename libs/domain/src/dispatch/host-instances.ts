import { heartbeatMs } from './calling-times.js';

/** Longer than a call without much to say is on its way: an agent that has ended may be heard for so long after its successor. */
const OVERLAP_MS = 60_000;
/** One that was not heard for two heartbeats and a while has ended. */
export const INSTANCE_GONE_MS = 2 * heartbeatMs('agent') + OVERLAP_MS;
/** Instances of one host that are told apart; of more, those that were heard last. */
const MAX_INSTANCES = 4;

/** One start of an agent that works as a host, and when the coordinator heard it first and last. */
export interface HeardInstance {
  readonly instance: string;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** It has taken its leave. */
  readonly hasLeft: boolean;
}

export type HeardInstances = readonly [HeardInstance, ...HeardInstance[]];

/** Who works as a host now that this instance was heard; it comes first. */
export function hearInstance(
  heard: readonly HeardInstance[],
  { instance, hasLeft }: Pick<HeardInstance, 'instance' | 'hasLeft'>,
  nowMs: number,
): HeardInstances {
  const known = heard.find((each) => each.instance === instance);
  const others = heard.filter(
    (each) => each.instance !== instance && nowMs - each.lastAtMs < INSTANCE_GONE_MS,
  );
  const current = { instance, firstAtMs: known?.firstAtMs ?? nowMs, lastAtMs: nowMs, hasLeft };
  return [current, ...others.slice(0, MAX_INSTANCES - 1)];
}

/** Whether another agent works as the host beside the one that was heard last. */
export function isUsedTwice([current, ...others]: HeardInstances): boolean {
  return others.some((other) => !other.hasLeft && haveOverlapped(current, other));
}

/**
 * Whether any two agents worked as the host beside each other of late. When one of them is started anew, it has overlapped
 * with nobody yet, and must not end what the other computes all the same.
 */
export function wasUsedTwice(heard: HeardInstances): boolean {
  return heard.some((one, at) => heard.slice(at + 1).some((other) => haveOverlapped(one, other)));
}

function haveOverlapped(one: HeardInstance, other: HeardInstance): boolean {
  const fromMs = Math.max(one.firstAtMs, other.firstAtMs);
  return Math.min(one.lastAtMs, other.lastAtMs) - fromMs > OVERLAP_MS;
}
