import { useSyncExternalStore } from 'react';

let isReachable = true;
const listeners = new Set<() => void>();

export function reportReachable(): void {
  change(true);
}

export function reportUnreachable(): void {
  change(false);
}

/** Whether the coordinator answered the last time it was asked. */
export function useIsReachable(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isReachable,
  );
}

function change(reachable: boolean): void {
  if (reachable === isReachable) return;
  isReachable = reachable;
  for (const listener of listeners) listener();
}
