/** What a volunteer allows the swarm; everything has a default that limits nothing. */
export interface SwarmPreferences {
  /** Bytes per second to other volunteers; null: no limit. */
  readonly uploadBytesPerSecond: number | null;
  /** Bytes per second from other volunteers; null: no limit. */
  readonly downloadBytesPerSecond: number | null;
  /** Bytes to and from other volunteers in a calendar month; null: no limit. Beyond it everything comes over HTTPS. */
  readonly monthlyCapBytes: number | null;
  /** TCP port to listen on; 0: any that is free. A fixed one can be forwarded by a router; where it is taken, the next free one. */
  readonly port: number;
  /** Names of network interfaces to use, such as `eth0`; null: all but the loopback. */
  readonly interfaces: readonly string[] | null;
  /** Keep copies for others of inputs that too few volunteers hold, where the disk has room. */
  readonly keepsReplicas: boolean;
}

export const DEFAULT_SWARM_PREFERENCES: SwarmPreferences = {
  uploadBytesPerSecond: null,
  downloadBytesPerSecond: null,
  monthlyCapBytes: null,
  port: 0,
  interfaces: null,
  keepsReplicas: true,
};

/** What the swarm does on this host, as `status` shows it. */
export interface SwarmStatus {
  /** `off`: the volunteer did not agree. `waiting`: it will start by itself, the reason says when. */
  readonly state: 'off' | 'starting' | 'on' | 'waiting';
  /** One sentence for the volunteer. */
  readonly reason: string;
  /** Other volunteers that are connected now. */
  readonly peers: number;
  /** Bytes of inputs since this host was attached, and from and to other volunteers in this calendar month. */
  readonly fromPeersBytes: number;
  readonly fromOriginBytes: number;
  readonly toPeersBytes: number;
  readonly monthBytes: number;
}

/** Whether a running process can follow the change. */
export function isSameButForRates(a: SwarmPreferences, b: SwarmPreferences): boolean {
  const rest = (preferences: SwarmPreferences): string =>
    JSON.stringify({ ...preferences, uploadBytesPerSecond: null, downloadBytesPerSecond: null });
  return rest(a) === rest(b);
}
