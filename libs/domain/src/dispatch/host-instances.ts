/** Longer than a call may be on its way: an agent that has ended may be heard for so long after its successor. */
const OVERLAP_MS = 60_000;
/** Agents call every five minutes at least; one that was not heard for two of these and a while has ended. */
export const INSTANCE_GONE_MS = 11 * 60_000;
/** Instances of one host that are told apart; of more, those that were heard last. */
const MAX_INSTANCES = 4;

/** One start of an agent that works as a host, and when the coordinator heard it first and last. */
export interface HeardInstance {
  readonly instance: string;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** Who works as a host now that this instance was heard; it comes first. */
export function hearInstance(
  heard: readonly HeardInstance[],
  instance: string,
  nowMs: number,
): readonly [HeardInstance, ...HeardInstance[]] {
  const known = heard.find((each) => each.instance === instance);
  const others = heard.filter(
    (each) => each.instance !== instance && nowMs - each.lastAtMs < INSTANCE_GONE_MS,
  );
  const current = { instance, firstAtMs: known?.firstAtMs ?? nowMs, lastAtMs: nowMs };
  return [current, ...others.slice(0, MAX_INSTANCES - 1)];
}

/** Whether another agent has worked as the host beside the one that was heard last, and not before it. */
export function isUsedTwice([current, ...others]: readonly [HeardInstance, ...HeardInstance[]]): boolean {
  return others.some(
    ({ firstAtMs, lastAtMs }) => lastAtMs - Math.max(firstAtMs, current.firstAtMs) > OVERLAP_MS,
  );
}
