import { WEEKDAYS } from '@gleaner/protocol';
import { paused, type IdleDecision } from './idle-decision.js';
import type { IdlePreferences } from './idle-preferences.js';
import type { ControlWish, IdleSignals } from './idle-signals.js';
import {
  formatHourRange,
  formatMinute,
  isWithin,
  rangesOf,
  type LocalClock,
  type WeeklyHours,
} from './weekly-hours.js';

/** Degrees below the limit from which less and less is computed, so that the temperature settles below it. */
const COOLING_RANGE_C = 10;
const LEAST_DUTY = 0.1;
/** Part of the machine's memory that is left free whatever the preferences say. */
const MEMORY_RESERVE = 0.05;
/** With less than this no task is worth starting. */
const LEAST_MEMORY_MIB = 64;
/** Programs that wait this share of the time are disturbed. */
const MAX_CPU_PRESSURE = 0.5;
const MAX_MEMORY_PRESSURE = 0.2;

/**
 * Whether to compute now, with how many cores and for which share of the time, and why.
 *
 * The first rule that forbids it gives the reason: what the volunteer asked for, then what protects the machine, then
 * what keeps it free for its users.
 */
export function decideIdle(
  signals: IdleSignals,
  preferences: IdlePreferences,
  clock: LocalClock,
): IdleDecision {
  const wish = wishAt(signals.control, clock);
  const isAlways = wish.kind === 'always';
  const isInUse = isMachineInUse(signals, preferences);
  return (
    askedPause(wish, clock) ??
    machineProtection(signals, preferences) ??
    (isAlways ? null : otherUses(signals, preferences, clock)) ??
    allowance(signals, preferences, { isAlways, isInUse: isInUse && !isAlways })
  );
}

/** Whether somebody used keyboard, mouse or touch lately. */
export function isMachineInUse(
  { inputAgeMs }: Pick<IdleSignals, 'inputAgeMs'>,
  { inUseForMs }: Pick<IdlePreferences, 'inUseForMs'>,
): boolean {
  return inputAgeMs !== null && inputAgeMs < inUseForMs;
}

/** A wish whose time is over is none. */
function wishAt(wish: ControlWish, { epochMs }: LocalClock): ControlWish {
  const isOver = 'untilMs' in wish && wish.untilMs !== null && wish.untilMs <= epochMs;
  return isOver ? { kind: 'auto' } : wish;
}

function askedPause(wish: ControlWish, clock: LocalClock): IdleDecision | null {
  if (wish.kind === 'unclear') return paused('unclear', wish.because);
  if (wish.kind !== 'pause') return null;
  if (wish.from === 'website') return paused('asked', 'you paused it on the website');
  if (wish.untilMs === null) return paused('asked', 'you asked for it; "gleaner agent resume" goes on');
  return paused('asked', `you asked for it, until ${momentOf(wish.untilMs, clock)}`);
}

function machineProtection(signals: IdleSignals, preferences: IdlePreferences): IdleDecision | null {
  const { temperatureC, freeDiskMiB } = signals;
  const { maxTemperatureC, minFreeDiskMiB } = preferences;
  if (temperatureC !== null && maxTemperatureC !== null && temperatureC >= maxTemperatureC) {
    return paused('temperature', `the machine is hot (${Math.round(temperatureC)} °C)`);
  }
  if (freeDiskMiB !== null && freeDiskMiB < minFreeDiskMiB) {
    return paused(
      'disk',
      `only ${sizeOf(freeDiskMiB)} of the disk are free (${sizeOf(minFreeDiskMiB)} are to stay free)`,
    );
  }
  return null;
}

function otherUses(
  signals: IdleSignals,
  preferences: IdlePreferences,
  clock: LocalClock,
): IdleDecision | null {
  if (preferences.hours !== null && !isWithin(preferences.hours, clock)) {
    return paused('hours', outsideOf(preferences.hours, clock));
  }
  return (
    onBattery(signals, preferences) ?? inputPause(signals, preferences) ?? cpuByOthers(signals, preferences)
  );
}

function onBattery({ battery }: IdleSignals, preferences: IdlePreferences): IdleDecision | null {
  if (!battery?.isDischarging) return null;
  if (preferences.onBattery === 'pause') return paused('battery', 'on battery');
  if (battery.charge === null || battery.charge >= preferences.minBatteryCharge) return null;
  return paused('battery', `the battery is low (${percent(battery.charge)})`);
}

function inputPause(signals: IdleSignals, preferences: IdlePreferences): IdleDecision | null {
  if (!isMachineInUse(signals, preferences)) return null;
  if (preferences.whileInUse === 'pause') return paused('input', 'you are typing');
  if (coresFor(signals, preferences, true) > 0) return null;
  const cores = signals.cores === 1 ? 'the only core is' : 'all cores are';
  return paused('input', `${cores} yours while you use the machine`);
}

function cpuByOthers(
  { cpuByOthers: share, cpuPressure }: IdleSignals,
  { maxCpuByOthers }: IdlePreferences,
): IdleDecision | null {
  if (maxCpuByOthers === null) return null;
  if (share !== null) {
    if (share <= maxCpuByOthers) return null;
    return paused(
      'cpu-by-others',
      `other programs use ${percent(share)} of the CPU (limit ${percent(maxCpuByOthers)})`,
    );
  }
  // Who uses the CPU cannot be told here; that programs wait for it can.
  if (cpuPressure === null || cpuPressure <= MAX_CPU_PRESSURE) return null;
  return paused('cpu-by-others', `programs waited for the CPU ${percent(cpuPressure)} of the time`);
}

function allowance(
  signals: IdleSignals,
  preferences: IdlePreferences,
  state: { readonly isAlways: boolean; readonly isInUse: boolean },
): IdleDecision {
  const { memory, memoryPressure } = signals;
  if (memoryPressure !== null && memoryPressure > MAX_MEMORY_PRESSURE) {
    return paused('memory', `programs waited for memory ${percent(memoryPressure)} of the time`);
  }
  const share = state.isInUse ? preferences.memory.inUse : preferences.memory.idle;
  const memoryMiB = memory && roomFor(memory, share);
  if (memoryMiB !== null && memoryMiB < LEAST_MEMORY_MIB) {
    return paused('memory', `other programs need the memory (${memoryMiB} MiB are left)`);
  }
  const cores = coresFor(signals, preferences, state.isInUse);
  const duty = dutyFor(signals, preferences, state.isInUse);
  return { run: true, code: null, cores, duty, memoryMiB, reason: computing(signals, state, cores, duty) };
}

function coresFor({ cores }: IdleSignals, preferences: IdlePreferences, isInUse: boolean): number {
  const idle = Math.min(cores, Math.max(1, preferences.cores.idle ?? cores));
  return isInUse ? Math.min(idle, cores - 1, preferences.cores.inUse ?? cores - 1) : idle;
}

function dutyFor({ temperatureC }: IdleSignals, preferences: IdlePreferences, isInUse: boolean): number {
  const share = isInUse ? preferences.duty.inUse : preferences.duty.idle;
  if (temperatureC === null || preferences.maxTemperatureC === null) return share;
  const cool = (preferences.maxTemperatureC - temperatureC) / COOLING_RANGE_C;
  // In whole tenths, so that a sensor's noise does not change it all the time.
  return Math.min(share, Math.max(LEAST_DUTY, Math.round(cool * 10) / 10));
}

function roomFor(
  { totalMiB, availableMiB, ownMiB }: NonNullable<IdleSignals['memory']>,
  share: number,
): number {
  const free = availableMiB + ownMiB - totalMiB * MEMORY_RESERVE;
  return Math.max(0, Math.floor(Math.min(totalMiB * share, free)));
}

function computing(
  signals: IdleSignals,
  { isAlways, isInUse }: { readonly isAlways: boolean; readonly isInUse: boolean },
  cores: number,
  duty: number,
): string {
  const part = cores < signals.cores ? ` on ${cores} of ${signals.cores} cores` : '';
  const share = duty < 1 ? ` for ${percent(duty)} of the time` : '';
  const why = isAlways
    ? 'you asked for it'
    : isInUse
      ? 'the machine is in use'
      : signals.inputAgeMs === null
        ? 'nothing speaks against it'
        : 'the machine is idle';
  return `computing${part}${share}: ${why}`;
}

/** Its owner may read it from afar, where it is another time of the day. */
function outsideOf(hours: WeeklyHours, { weekday }: LocalClock): string {
  const today = rangesOf(hours, weekday);
  if (today.length === 0) return `no hours on ${WEEKDAYS[weekday] ?? 'this day'}s`;
  return `outside ${today.map(formatHourRange).join(' and ')} by this machine's clock`;
}

/** By the volunteer's clock, on this day; with the days to go where it is another. */
function momentOf(untilMs: number, { epochMs, minuteOfDay }: LocalClock): string {
  const minute = minuteOfDay + Math.ceil((untilMs - epochMs) / 60_000);
  const days = Math.floor(minute / 1440);
  const time = formatMinute(minute % 1440);
  return days === 0 ? time : days === 1 ? `tomorrow ${time}` : `${time} in ${days} days`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function sizeOf(mib: number): string {
  return mib >= 1024 ? `${(mib / 1024).toFixed(1)} GiB` : `${Math.round(mib)} MiB`;
}
