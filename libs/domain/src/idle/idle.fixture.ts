import { decideIdle } from './decide-idle.js';
import { DEFAULT_IDLE_PREFERENCES, type IdlePreferences } from './idle-preferences.js';
import type { IdleSignals } from './idle-signals.js';
import type { LocalClock } from './weekly-hours.js';

/** An idle four-core desktop on mains, with a display and plenty of everything. */
export function someSignals(changes: Partial<IdleSignals> = {}): IdleSignals {
  return {
    control: { kind: 'auto' },
    cores: 4,
    inputAgeMs: 3_600_000,
    cpuByOthers: 0.02,
    cpuPressure: 0,
    memoryPressure: 0,
    battery: { isDischarging: false, charge: 1 },
    temperatureC: 50,
    memory: { totalMiB: 8000, availableMiB: 7600, ownMiB: 0 },
    freeDiskMiB: 100_000,
    ...changes,
  };
}

/** A weekday (0 is Sunday) and a time such as `22:30`. */
export function aClock(weekday = 3, time = '12:00'): LocalClock {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const minuteOfDay = hours * 60 + minutes;
  return { epochMs: (weekday * 1440 + minuteOfDay) * 60_000, weekday, minuteOfDay };
}

export const noon = aClock();
export const minutes = (count: number): number => count * 60_000;

export const typing = { inputAgeMs: 0 };
export const headless = { inputAgeMs: null };
export const discharging = (charge: number | null) => ({ battery: { isDischarging: true, charge } });

/** Why an idle machine computes. */
export const idle = 'computing: the machine is idle';

/** What is decided of a machine, {@link someSignals} and the usual preferences but for these. */
export type DecisionRow = readonly [
  what: string,
  signals: Partial<IdleSignals>,
  preferences: Partial<IdlePreferences>,
  clock: LocalClock,
  /** Cores and duty, or null for a pause. */
  allowed: readonly [cores: number, duty: number] | null,
  reason: string,
];

/** What is allowed, and the reason that is told. */
export function decided([, signals, preferences, clock]: DecisionRow): readonly [DecisionRow[4], string] {
  const decision = decideIdle(someSignals(signals), { ...DEFAULT_IDLE_PREFERENCES, ...preferences }, clock);
  return [decision.run ? [decision.cores, decision.duty] : null, decision.reason];
}
