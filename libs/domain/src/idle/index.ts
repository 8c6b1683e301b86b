export * from './decide-idle.js';
export { PAUSE_CODES, type IdleDecision, type PauseCode } from './idle-decision.js';
export * from './idle-preferences.js';
export * from './idle-signals.js';
export * from './settle-decision.js';
export {
  formatHourRange,
  localClock,
  parseHourRange,
  type HourRange,
  type LocalClock,
  type Weekday,
  type WeeklyHours,
} from './weekly-hours.js';
