import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareBytes, compareUtf8 } from './compare-text.js';

/** The ends of the ranges that UTF-8 writes with one, two, three and four bytes, and those beside the surrogates. */
const ENDS = [
  '\u0000',
  '\u007f',
  '\u0080',
  '\u07ff',
  '\u0800',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
];
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.array(fc.constantFrom(...ENDS), { maxLength: 4 }).map((parts) => parts.join('')),
);

it('texts are in the order of their UTF-8 bytes', () => {
  fc.assert(
    fc.property(texts, texts, texts, (start, a, b) => {
      const [left, right] = [start + a, start + b];
      const ofBytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
      expect(Math.sign(compareUtf8(left, right))).toBe(ofBytes);
      expect(Math.sign(compareBytes(Buffer.from(left), Buffer.from(right)))).toBe(ofBytes);
    }),
    { numRuns: 2000 },
  );
});

it('and so are the ends of the ranges, one after the other', () => {
  expect([...ENDS].reverse().sort(compareUtf8)).toEqual(ENDS);
});
