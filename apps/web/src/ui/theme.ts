import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';

const KEY = 'gleaner.theme';
const listeners = new Set<() => void>();

/** What the visitor chose, else what the system prefers. */
export function savedTheme(): Theme {
  const saved = localStorage.getItem(KEY);
  if (saved === 'light' || saved === 'dark') return saved;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme;
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme(theme);
  for (const listener of listeners) listener();
}

/** Follows {@link chooseTheme}: for what is drawn on a canvas, which styles do not reach. */
export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, savedTheme);
}
