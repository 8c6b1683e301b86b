/** What the volunteer asked for. */
export interface Wishes {
  /** Percent of a core's time. */
  readonly share: number;
  readonly cores: number;
  readonly evenWhenHidden: boolean;
  readonly evenOnBattery: boolean;
}

export const DEFAULT_WISHES: Wishes = { share: 50, cores: 1, evenWhenHidden: false, evenOnBattery: false };

/** What surrounds the tab. */
export interface Surroundings {
  readonly isHidden: boolean;
  /** false also where the browser does not tell. */
  readonly isOnBattery: boolean;
}

/** What was asked of this browser from afar, on its machine's page. */
export type Run = 'run' | 'pause' | 'finish';

/** Why the tab does not compute at the moment; null when it may. */
export function pauseReason(wishes: Wishes, surroundings: Surroundings, run: Run): string | null {
  // It finishes by getting no new work.
  if (run === 'pause') return 'Paused, as you asked from afar. “My account” lets this machine run again.';
  if (surroundings.isHidden && !wishes.evenWhenHidden) return 'Paused while this tab is hidden.';
  if (surroundings.isOnBattery && !wishes.evenOnBattery) return 'Paused while the computer runs on battery.';
  return null;
}
