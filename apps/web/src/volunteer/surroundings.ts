import type { Surroundings } from './pause-reason';

interface Battery extends EventTarget {
  readonly charging: boolean;
}

/** Calls `changed` with what surrounds the tab, now and at every change, until the returned function is called. */
export function watchSurroundings(changed: (surroundings: Surroundings) => void): () => void {
  let battery: Battery | null = null;
  let isWatching = true;
  const tell = (): void => {
    changed({ isHidden: document.hidden, isOnBattery: battery !== null && !battery.charging });
  };
  document.addEventListener('visibilitychange', tell);
  // Only some browsers tell, and only on https.
  if ('getBattery' in navigator && typeof navigator.getBattery === 'function') {
    (navigator.getBattery as () => Promise<Battery>)().then(
      (found) => {
        if (!isWatching) return;
        battery = found;
        battery.addEventListener('chargingchange', tell);
        tell();
      },
      () => undefined,
    );
  }
  tell();
  return () => {
    isWatching = false;
    document.removeEventListener('visibilitychange', tell);
    battery?.removeEventListener('chargingchange', tell);
  };
}
