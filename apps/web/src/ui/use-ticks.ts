import { useSyncExternalStore } from 'react';

/** What is told in seconds is that much behind at most. */
const TICK_MS = 5_000;

let ticks = 0;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** Has a component tell anew how long ago something was, although nothing else has changed. */
export function useTicks(): void {
  useSyncExternalStore(subscribe, () => ticks);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  ticks += 1;
  for (const listener of listeners) listener();
}
