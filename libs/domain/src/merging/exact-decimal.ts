/** `digits` × 10^-`scale`. */
export interface ExactDecimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** An integer or decimal fraction such as `-12` or `0.250`; null for anything else, floats with exponents included. */
export function parseExactDecimal(text: string): ExactDecimal | null {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) return null;
  const [, sign = '', whole = '', fraction = ''] = match;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length };
}

/** The exact sum, with as many decimals as the more precise of both. */
export function addExactDecimals(a: ExactDecimal, b: ExactDecimal): ExactDecimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: rescale(a, scale) + rescale(b, scale), scale };
}

/** Plain decimal text that {@link parseExactDecimal} reads back, its decimals kept: `0.250`. */
export function formatExactDecimal({ digits, scale }: ExactDecimal): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return scale === 0 ? sign + text : `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

function rescale({ digits, scale }: ExactDecimal, to: number): bigint {
  return to === scale ? digits : digits * 10n ** BigInt(to - scale);
}
