import { useSyncExternalStore } from 'react';
import { kept } from '../api/kept';

export type Theme = 'light' | 'dark';

/** Also in public/theme.js, which applies the theme before the first paint. */
const KEY = 'gleaner.theme';
const listeners = new Set<() => void>();
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/** What the visitor chose, else what the system prefers. */
function currentTheme(): Theme {
  const chosen = kept().getItem(KEY);
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return systemIsDark.matches ? 'dark' : 'light';
}

/** Shows the theme, and goes with the system as long as the visitor has not chosen. */
export function followTheme(): void {
  systemIsDark.addEventListener('change', apply);
  // Chosen in another tab.
  addEventListener('storage', apply);
  apply();
}

export function chooseTheme(theme: Theme): void {
  kept().setItem(KEY, theme);
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, currentTheme);
}

function apply(): void {
  document.documentElement.dataset['theme'] = currentTheme();
  for (const listener of listeners) listener();
}
