import { useSyncExternalStore } from 'react';

/** How it stands with the coordinator: whether it answers, and if it wants to be left alone, until when. */
export type Reachability =
  | { readonly kind: 'there' | 'away' }
  /** `untilMs`: by this computer's clock. */
  | { readonly kind: 'waiting'; readonly untilMs: number };

/** Timers end a little early. */
const EARLY_MS = 500;

let state: Reachability = { kind: 'there' };
const listeners = new Set<() => void>();

export function reportReachable(): void {
  // Other requests may be answered while one has to wait; the page says so until it goes on.
  if (state.kind === 'waiting' && Date.now() + EARLY_MS < state.untilMs) return;
  change({ kind: 'there' });
}

export function reportUnreachable(): void {
  change({ kind: 'away' });
}

/** The coordinator asked to be left alone for a while. */
export function reportWaiting(forMs: number): void {
  change({ kind: 'waiting', untilMs: Date.now() + forMs });
}

export function useReachability(): Reachability {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

function change(next: Reachability): void {
  if (next.kind === state.kind && next.kind !== 'waiting') return;
  state = next;
  for (const listener of listeners) listener();
}
