import { InvalidArgumentError } from 'commander';

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_MS = 366 * UNITS_MS.d;

/** Reads `90m`, `2h` or `1d` as milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  // `as`: the pattern lets nothing else through.
  const durationMs = match ? Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS] : 0;
  if (durationMs <= 0 || durationMs > MAX_MS) {
    throw new InvalidArgumentError('must be a time such as 90m, 2h or 1d');
  }
  return durationMs;
}
