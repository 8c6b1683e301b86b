import { useSyncExternalStore } from 'react';
import { kept } from './kept';

/*
 * Whether somebody has signed in is known by a cookie that scripts cannot read. What is kept here is only whose account it
 * is, so that pages need not ask first; it is forgotten as soon as the coordinator says that the session has ended.
 */
const KEY = 'gleaner.session';
const listeners = new Set<() => void>();

/** Id of the signed-in person's account; null for a visitor. */
export function sessionAccount(): string | null {
  return kept().getItem(KEY);
}

export function rememberSession(accountId: string): void {
  kept().setItem(KEY, accountId);
  for (const listener of listeners) listener();
}

export function forgetSession(): void {
  if (sessionAccount() === null) return;
  kept().removeItem(KEY);
  for (const listener of listeners) listener();
}

/** Follows {@link sessionAccount}, also when another tab signs in or out. */
export function useSession(): string | null {
  return useSyncExternalStore(subscribe, sessionAccount);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
}
