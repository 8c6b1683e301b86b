import { kept } from '../api/kept';

const KEY = 'gleaner.host';
const UNCLAIMED_KEY = 'gleaner.unclaimed';
/** A browser has one anonymous host, and another one whenever somebody signed in before claiming it. */
const UNCLAIMED_MAX = 16;
const listeners = new Set<() => void>();

/** This browser as the coordinator knows it. */
export interface SavedHost {
  readonly hostId: string;
  readonly accountId: string;
  readonly isAnonymous: boolean;
  /** A token that can only work, and only as this host. */
  readonly secret: string;
  /** Account of the person whose work it is by now, where it began without a name. */
  readonly claimedBy?: string;
}

/** The host as which this browser computes. */
export function readSavedHost(): SavedHost | null {
  return hostsIn(KEY)[0] ?? null;
}

/** Makes `host` the one as which this browser computes; what an earlier one did without a name can still be claimed. */
export function saveHost(host: SavedHost): void {
  const before = readSavedHost();
  if (before && before.hostId !== host.hostId && isUnclaimed(before)) {
    write(UNCLAIMED_KEY, [before, ...hostsIn(UNCLAIMED_KEY)].slice(0, UNCLAIMED_MAX));
  }
  write(KEY, host);
}

/** Hosts of this browser that computed without a name and are nobody's yet. */
export function unclaimedHosts(): SavedHost[] {
  const current = readSavedHost();
  return [...(current ? [current] : []), ...hostsIn(UNCLAIMED_KEY)].filter(isUnclaimed);
}

/** Takes note that a host's work is somebody's from now on, so that nobody is offered it again. */
export function noteClaim(hostId: string, claimedBy: string): void {
  const current = readSavedHost();
  if (current?.hostId === hostId) write(KEY, { ...current, claimedBy });
  write(
    UNCLAIMED_KEY,
    hostsIn(UNCLAIMED_KEY).filter((host) => host.hostId !== hostId),
  );
}

/** This browser computes as nobody until it is attached anew. */
export function forgetHost(): void {
  kept().removeItem(KEY);
  tell();
}

/** Whether the host's work counts for the account, which may have claimed it. */
export function worksFor(host: SavedHost, accountId: string): boolean {
  return host.accountId === accountId || host.claimedBy === accountId;
}

/** Calls `listener` when this or another tab saves, forgets, or notes a claim. */
export function onSavedHosts(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}

function isUnclaimed({ isAnonymous, claimedBy }: SavedHost): boolean {
  return isAnonymous && claimedBy === undefined;
}

function hostsIn(key: string): SavedHost[] {
  try {
    const value: unknown = JSON.parse(kept().getItem(key) ?? 'null');
    return (Array.isArray(value) ? value : [value]).filter(isSavedHost);
  } catch {
    return [];
  }
}

function write(key: string, value: SavedHost | readonly SavedHost[]): void {
  kept().setItem(key, JSON.stringify(value));
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

function isSavedHost(value: unknown): value is SavedHost {
  return (
    typeof value === 'object' &&
    value !== null &&
    'hostId' in value &&
    typeof value.hostId === 'string' &&
    'accountId' in value &&
    typeof value.accountId === 'string' &&
    'isAnonymous' in value &&
    typeof value.isAnonymous === 'boolean' &&
    'secret' in value &&
    typeof value.secret === 'string' &&
    (!('claimedBy' in value) || typeof value.claimedBy === 'string')
  );
}
