import { useSyncExternalStore } from 'react';

const KEY = 'gleaner.token';
const listeners = new Set<() => void>();

/** The signed-in person's API token; null for a visitor. */
export function sessionToken(): string | null {
  return localStorage.getItem(KEY);
}

export function signIn(token: string): void {
  localStorage.setItem(KEY, token);
  for (const listener of listeners) listener();
}

export function signOut(): void {
  localStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

/** Follows {@link sessionToken}, also when another tab signs in or out. */
export function useSessionToken(): string | null {
  return useSyncExternalStore(subscribe, sessionToken);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}
