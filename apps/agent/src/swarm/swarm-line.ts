import type { AgentStatus } from '../status-file.js';

/** What `status` and `top` say of the exchange with other volunteers. */
export function swarmLine(swarm: NonNullable<AgentStatus['swarm']>): string {
  const { state, reason, peers, fromPeersBytes, fromOriginBytes, toPeersBytes } = swarm;
  const moved = `inputs: ${formatBytes(fromPeersBytes)} from volunteers, ${formatBytes(fromOriginBytes)} from the coordinator, ${formatBytes(toPeersBytes)} to volunteers`;
  return state === 'on' ? `${moved} (${peers} connected)` : `${moved} (swarm ${state}: ${reason})`;
}

/** `12.3 MB`: decimal, because line rates are. */
function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3)} ${units[power] ?? ''}`;
}
