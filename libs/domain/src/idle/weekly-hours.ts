import { WEEKDAYS } from '@gleaner/protocol';

export type Weekday = (typeof WEEKDAYS)[number];

/** Part of a day in minutes after midnight, `from` inclusive, `to` exclusive; `to` ≤ `from` reaches into the next day. */
export interface HourRange {
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** Ranges by the day on which they begin; a day that is left out has none. */
export type WeeklyHours = Readonly<Partial<Record<Weekday, readonly HourRange[]>>>;

/** A moment of the volunteer's local time. */
export interface LocalClock {
  /** Milliseconds since the epoch. */
  readonly epochMs: number;
  /** 0 is Sunday, as in `Date`. */
  readonly weekday: number;
  /** 0 to 1439. */
  readonly minuteOfDay: number;
}

const DAY_MINUTES = 24 * 60;

/** The clock of a date in this process's time zone. */
export function localClock(date: Date): LocalClock {
  return {
    epochMs: date.getTime(),
    weekday: date.getDay(),
    minuteOfDay: date.getHours() * 60 + date.getMinutes(),
  };
}

/**
 * Reads `22:00-07:00` (a hyphen or a dash).
 *
 * @throws {TypeError} when the text is no range of hours
 */
export function parseHourRange(text: string): HourRange {
  const match = /^([01]\d|2[0-3]):([0-5]\d)[-–]([01]\d|2[0-4]):([0-5]\d)$/.exec(text.replaceAll(' ', ''));
  if (!match) throw new TypeError(`"${text}" is no range of hours: write it as 22:00-07:00`);
  const [fromHour = 0, fromRest = 0, toHour = 0, toRest = 0] = match.slice(1).map(Number);
  const range = { fromMinute: fromHour * 60 + fromRest, toMinute: toHour * 60 + toRest };
  if (range.toMinute > DAY_MINUTES || range.fromMinute === range.toMinute) {
    throw new TypeError(`"${text}" is no range of hours: a whole day is 00:00-24:00`);
  }
  return range;
}

/** `22:00–07:00`. */
export function formatHourRange({ fromMinute, toMinute }: HourRange): string {
  return `${formatMinute(fromMinute)}–${formatMinute(toMinute)}`;
}

/** `07:05`. */
export function formatMinute(minute: number): string {
  const hours = Math.floor(minute / 60);
  return `${String(hours).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

export function isWithin(hours: WeeklyHours, { weekday, minuteOfDay }: LocalClock): boolean {
  const beganToday = rangesOf(hours, weekday).some((range) =>
    reachesOver(range)
      ? minuteOfDay >= range.fromMinute
      : minuteOfDay >= range.fromMinute && minuteOfDay < range.toMinute,
  );
  const beganYesterday = rangesOf(hours, weekday - 1).some(
    (range) => reachesOver(range) && minuteOfDay < range.toMinute,
  );
  return beganToday || beganYesterday;
}

/** Ranges that begin on a weekday; any whole number is taken round the week. */
export function rangesOf(hours: WeeklyHours, weekday: number): readonly HourRange[] {
  const name = WEEKDAYS[((weekday % 7) + 7) % 7];
  return (name && hours[name]) ?? [];
}

function reachesOver({ fromMinute, toMinute }: HourRange): boolean {
  return toMinute <= fromMinute;
}
