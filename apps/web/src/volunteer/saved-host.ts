const KEY = 'gleaner.host';

/** This browser as the coordinator knows it. */
export interface SavedHost {
  readonly hostId: string;
  readonly accountId: string;
  readonly isAnonymous: boolean;
  /** A token that can only work, and only as this host. */
  readonly secret: string;
}

export function readSavedHost(): SavedHost | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    return isSavedHost(value) ? value : null;
  } catch {
    return null;
  }
}

export function saveHost(host: SavedHost): void {
  localStorage.setItem(KEY, JSON.stringify(host));
}

export function forgetHost(): void {
  localStorage.removeItem(KEY);
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
    typeof value.secret === 'string'
  );
}
