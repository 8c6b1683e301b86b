import { useSyncExternalStore } from 'react';
import { onSavedHosts, readSavedHost, unclaimedHosts, type SavedHost } from './saved-host';

/** Follows the host as which this browser computes. */
export function useSavedHost(): SavedHost | null {
  return JSON.parse(
    useSyncExternalStore(onSavedHosts, () => JSON.stringify(readSavedHost())),
  ) as SavedHost | null;
}

/** Follows what this browser computed without a name, as long as it is nobody's. */
export function useUnclaimedHosts(): readonly SavedHost[] {
  return JSON.parse(
    useSyncExternalStore(onSavedHosts, () => JSON.stringify(unclaimedHosts())),
  ) as SavedHost[];
}
