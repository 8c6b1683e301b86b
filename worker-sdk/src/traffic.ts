import type { SwarmStatus } from './swarm/swarm-preferences.js';

/** Bytes of inputs that a host fetched and gave, without the overhead of connections. */
export interface Traffic {
  /** From other volunteers. */
  readonly fromPeersBytes: number;
  /** From the coordinator, over HTTP. */
  readonly fromOriginBytes: number;
  /** To other volunteers. */
  readonly toPeersBytes: number;
}

/** Nothing fetched and nothing given. */
export const NO_TRAFFIC: Traffic = { fromPeersBytes: 0, fromOriginBytes: 0, toPeersBytes: 0 };

/** The bytes of a host's part in the swarm; none are counted where it has no part. */
export function trafficOf(swarm: SwarmStatus | null): Traffic {
  if (swarm === null) return NO_TRAFFIC;
  const { fromPeersBytes, fromOriginBytes, toPeersBytes } = swarm;
  return { fromPeersBytes, fromOriginBytes, toPeersBytes };
}
