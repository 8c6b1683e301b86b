const DAY: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' };

/**
 * What an axis of time says at an instant: the day, and between two midnights the hour.
 *
 * @param timeZone the reader's own where it is left out
 */
export function axisLabel(unixSeconds: number, timeZone?: string): string {
  const instant = new Date(unixSeconds * 1000);
  const inZone = timeZone === undefined ? {} : { timeZone };
  const time = instant.toLocaleTimeString('en', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...inZone,
  });
  return time === '00:00'
    ? instant.toLocaleDateString('en', { ...DAY, ...inZone })
    : instant.toLocaleTimeString('en', { hour: 'numeric', ...inZone });
}
