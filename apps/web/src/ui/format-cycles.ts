/** What hours of a core are reckoned at, which pages say: ordinary cores count 10 to 30 thousand million in the example apps. */
export const CORE_ASSUMED = '10 billion cycles a second';
const CYCLES_PER_CORE_HOUR = 10_000_000_000n * 3600n;

const UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y', 'R', 'Q'] as const;
const STEP = 1000n;

/**
 * Cycles as people read them: three significant digits and an SI prefix, such as `1.52 T`.
 *
 * @param cycles decimal string of any size, as the API gives it
 */
export function formatCycles(cycles: string): string {
  const exact = BigInt(cycles);
  let unit = 0;
  let divisor = 1n;
  while (unit < UNITS.length - 1 && exact >= divisor * STEP) {
    divisor *= STEP;
    unit += 1;
  }
  if (unit === 0) return exact.toString();
  return `${threeDigits(exact, divisor)} ${UNITS[unit]}`;
}

/** About how many hours of one core the cycles are, by {@link CORE_ASSUMED}, such as `12.4`. */
export function formatCoreHours(cycles: string): string {
  const exact = BigInt(cycles);
  if (exact === 0n) return '0';
  if (exact < CYCLES_PER_CORE_HOUR / 100n) return '< 0.01';
  return exact >= CYCLES_PER_CORE_HOUR * STEP
    ? groupDigits((exact / CYCLES_PER_CORE_HOUR).toString())
    : threeDigits(exact, CYCLES_PER_CORE_HOUR);
}

/** {@link formatCoreHours} in a sentence, such as `about 12.4 core-hours`. */
export function aboutCoreHours(cycles: string): string {
  const hours = formatCoreHours(cycles);
  return hours.startsWith('<')
    ? `less than ${hours.slice(1).trimStart()} core-hours`
    : `about ${hours} core-hours`;
}

/** The exact figure with its thousands apart, as all figures of the site are written. */
export function groupDigits(decimal: string): string {
  return decimal.replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** Three significant digits of `exact / divisor`, which is below 1000; cut off rather than rounded up to what is not there. */
function threeDigits(exact: bigint, divisor: bigint): string {
  const hundredths = (exact * 100n) / divisor;
  const whole = hundredths / 100n;
  const fraction = (hundredths % 100n).toString().padStart(2, '0');
  if (whole >= 100n) return whole.toString();
  return whole >= 10n ? `${whole}.${fraction.slice(0, 1)}` : `${whole}.${fraction}`;
}
