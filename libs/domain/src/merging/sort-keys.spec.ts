import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareSortKeys, sortKeysOf } from './sort-keys.js';

const lineOf = (number: string) => new TextEncoder().encode(`{"other":12345678901234567890,"n":${number}}`);
const compare = (a: string, b: string) =>
  Math.sign(compareSortKeys(sortKeysOf(lineOf(a), ['n']), sortKeysOf(lineOf(b), ['n'])));

interface Written {
  readonly text: string;
  /** Its value × 10^SCALE. */
  readonly scaled: bigint;
}
const SCALE = 400;

/** Numbers with their point and exponent in any place, many of one double. */
const numbers: fc.Arbitrary<Written> = fc
  .record({
    isNegative: fc.boolean(),
    start: fc.constantFrom('', '3', '30000000000000000', '9007199254740993', '1797693134862315'),
    end: fc.stringMatching(/^\d{1,4}$/),
    zeros: fc.nat(3),
    point: fc.nat(24),
    exponent: fc.oneof(fc.integer({ min: -30, max: 30 }), fc.constantFrom(-340, -324, -308, 292, 308, 340)),
    isPlain: fc.boolean(),
  })
  .map(({ isNegative, start, end, zeros, point, exponent, isPlain }) => {
    const digits = (start + end).replace(/^0+(?=\d)/, '');
    const behind = Math.min(point, digits.length - 1);
    const fraction = digits.slice(digits.length - behind) + '0'.repeat(zeros);
    const whole = digits.slice(0, digits.length - behind);
    const power = isPlain ? 0 : exponent;
    const scaled = BigInt(digits) * 10n ** BigInt(SCALE + power - behind);
    const text = `${whole.replace(/^0+(?=\d)/, '')}${fraction === '' ? '' : `.${fraction}`}${power === 0 ? '' : `e${power}`}`;
    return { text: isNegative ? `-${text}` : text, scaled: isNegative ? -scaled : scaled };
  });

it('numbers stand in the order of their exact values, however they are written', () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      expect(compare(a.text, b.text)).toBe(a.scaled < b.scaled ? -1 : a.scaled > b.scaled ? 1 : 0);
    }),
    { numRuns: 5000 },
  );
});

it.each([
  ['1e400', '10e399', 0],
  ['1e400', `1${'0'.repeat(400)}`, 0],
  ['9e400', '1e500', -1],
  ['-1e500', '-9e400', -1],
  ['0', '1e-400', -1],
  ['0.3', '0.300000000000000001', -1],
  ['100', '1E+2', 0],
  ['-0', '0.0', 0],
])('%s beside %s', (a, b, order) => {
  expect(compare(a, b)).toBe(order);
  expect(compare(b, a)).toBe(order === 0 ? 0 : -order);
});

it('a number within a value is written alike, whatever else is in the line', () => {
  const [short, long] = ['1', '9007199254740993'].map((z) =>
    sortKeysOf(new TextEncoder().encode(`{"a":{"b":9007199254740993},"z":${z}}`), ['a', 'z']),
  );
  expect(compareSortKeys(short!, long!)).toBeLessThan(0);
});

it('of a member that is there twice the last one counts', () => {
  const twice = (text: string) => sortKeysOf(new TextEncoder().encode(text), ['n']);
  expect(twice('{"n":9007199254740993,"n":1}')).toEqual([1]);
  const last = twice('{"n":1,"n":9007199254740993}');
  expect(compareSortKeys(twice('{"n":9007199254740992}'), last)).toBeLessThan(0);
});
