/** The value of a JSON number, of any size and precision: 0.`digits` × 10^`exponent`. */
export interface ExactNumber {
  readonly sign: -1 | 0 | 1;
  readonly exponent: bigint;
  /** Without zeros at either end; empty for zero. */
  readonly digits: string;
}

/** @throws {RangeError} for what is no JSON number */
export function parseExactNumber(text: string): ExactNumber {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) throw new RangeError(`${JSON.stringify(text.slice(0, 40))} is no JSON number`);
  const [, minus, whole = '', fraction = '', power = '0'] = match;
  const written = whole + fraction;
  const first = written.search(/[1-9]/);
  if (first < 0) return { sign: 0, exponent: 0n, digits: '' };
  let end = written.length;
  while (written[end - 1] === '0') end -= 1;
  return {
    sign: minus ? -1 : 1,
    exponent: BigInt(power) + BigInt(whole.length - first),
    digits: written.slice(first, end),
  };
}

/** By value: negative, zero or positive. */
export function compareExactNumbers(a: ExactNumber, b: ExactNumber): number {
  if (a.sign !== b.sign) return a.sign - b.sign;
  if (a.exponent !== b.exponent) return a.exponent < b.exponent ? -a.sign : a.sign;
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -a.sign : a.sign;
}
