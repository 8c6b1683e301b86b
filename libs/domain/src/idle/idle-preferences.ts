import type { WeeklyHours } from './weekly-hours.js';

/** What a volunteer allows. Shares are numbers from 0 to 1; null switches a rule off. */
export interface IdlePreferences {
  /** What to do while somebody uses the machine. */
  readonly whileInUse: 'pause' | 'compute';
  /** The machine counts as in use for this long after the last input, in milliseconds. */
  readonly inUseForMs: number;
  /** Cores to use; null: all of them, while in use all but one. Never more than that while in use. */
  readonly cores: { readonly idle: number | null; readonly inUse: number | null };
  /** Share (0 to 1] of the time that each core computes. */
  readonly duty: { readonly idle: number; readonly inUse: number };
  /** Share of the machine's memory. */
  readonly memory: { readonly idle: number; readonly inUse: number };
  /** Pause while other programs use more than this share of all cores. */
  readonly maxCpuByOthers: number | null;
  readonly onBattery: 'pause' | 'compute';
  /** Below this charge pause even where computing on battery is allowed. */
  readonly minBatteryCharge: number;
  /** Pause at this temperature; in the last ten degrees before it, compute ever less. */
  readonly maxTemperatureC: number | null;
  /** Disk space to leave free, in MiB. */
  readonly minFreeDiskMiB: number;
  /** When to compute, by local time; null: always. */
  readonly hours: WeeklyHours | null;
}

/**
 * The defaults of BOINC where it has them: in use for 3 minutes after input, pause above 25 % of CPU by others, half of
 * the memory in use and 90 % when idle, never on battery.
 */
export const DEFAULT_IDLE_PREFERENCES: IdlePreferences = {
  whileInUse: 'pause',
  inUseForMs: 3 * 60_000,
  cores: { idle: null, inUse: null },
  duty: { idle: 1, inUse: 1 },
  memory: { idle: 0.9, inUse: 0.5 },
  maxCpuByOthers: 0.25,
  onBattery: 'pause',
  minBatteryCharge: 0.3,
  maxTemperatureC: 90,
  minFreeDiskMiB: 512,
  hours: null,
};
