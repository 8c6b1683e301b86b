import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addExactDecimals, formatExactDecimal, parseExactDecimal } from './exact-decimal.js';

describe('an exact decimal', () => {
  it.each([
    ['12', { digits: 12n, scale: 0 }],
    ['+12', { digits: 12n, scale: 0 }],
    ['-0.250', { digits: -250n, scale: 3 }],
    ['007.5', { digits: 75n, scale: 1 }],
  ])('is read from %s', (text, expected) => {
    expect(parseExactDecimal(text)).toEqual(expected);
  });

  it.each([
    '',
    '-',
    '+',
    '.',
    '.5',
    '5.',
    '-.5',
    '1e3',
    '1.5e3',
    'NaN',
    'Infinity',
    '0x10',
    '--1',
    ' 1',
    '1 ',
    '1\n',
    '1,5',
    '٣',
  ])('is not read from %j', (text) => {
    expect(parseExactDecimal(text)).toBeNull();
  });

  it.each([
    ['0.25', '-0.25', '0.00'],
    ['-0', '0', '0'],
    ['1', '-1.000', '0.000'],
    ['-0.001', '0', '-0.001'],
    ['9.95', '0.05', '10.00'],
    ['99999999999999999999', '0.1', '99999999999999999999.1'],
  ])('%s and %s are %s', (a, b, sum) => {
    expect(formatExactDecimal(addExactDecimals(decimal(a), decimal(b)))).toBe(sum);
  });

  it('is written so that it is read back', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.nat(40), (digits, scale) => {
        expect(parseExactDecimal(formatExactDecimal({ digits, scale }))).toEqual({ digits, scale });
      }),
    );
  });
});

function decimal(text: string): NonNullable<ReturnType<typeof parseExactDecimal>> {
  const parsed = parseExactDecimal(text);
  if (parsed === null) throw new Error(`${text} is no decimal`);
  return parsed;
}
