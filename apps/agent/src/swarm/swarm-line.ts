import { formatBytes } from '@gleaner/protocol';
import type { AgentStatus } from '../status-file.js';

/** What `status` and `top` say of the exchange with other volunteers. */
export function swarmLine(swarm: NonNullable<AgentStatus['swarm']>): string {
  const { state, reason, peers, fromPeersBytes, fromOriginBytes, toPeersBytes } = swarm;
  const moved = `inputs: ${formatBytes(fromPeersBytes)} from volunteers, ${formatBytes(fromOriginBytes)} from the coordinator, ${formatBytes(toPeersBytes)} to volunteers`;
  return state === 'on' ? `${moved} (${peers} connected)` : `${moved} (swarm ${state}: ${reason})`;
}
