interface Formats {
  readonly clock: Intl.DateTimeFormat;
  readonly day: Intl.DateTimeFormat;
  readonly hour: Intl.DateTimeFormat;
}

/** Made once for each zone: making one takes longer than a hundred uses of it. */
const known = new Map<string | undefined, Formats>();

/**
 * What an axis of time says at an instant: the day, and between two midnights the hour.
 *
 * @param timeZone the reader's own where it is left out
 */
export function axisLabel(unixSeconds: number, timeZone?: string): string {
  const { clock, day, hour } = formatsOf(timeZone);
  const instant = new Date(unixSeconds * 1000);
  return (clock.format(instant) === '00:00' ? day : hour).format(instant);
}

/** What an axis of amounts says at its places: nothing between two whole amounts, which would round to one of them. */
export function amountLabels(places: readonly number[], format: (amount: number) => string): string[] {
  return places.map((place) => (Number.isInteger(place) ? format(place) : ''));
}

function formatsOf(timeZone: string | undefined): Formats {
  const made = known.get(timeZone) ?? {
    clock: new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }),
    day: new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone }),
    hour: new Intl.DateTimeFormat('en', { hour: 'numeric', timeZone }),
  };
  known.set(timeZone, made);
  return made;
}
