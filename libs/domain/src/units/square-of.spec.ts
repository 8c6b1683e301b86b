import { expect, it } from 'vitest';
import { squareOf, type SquareCounts } from './square-of.js';

const counts = (some: Partial<SquareCounts>): SquareCounts => ({
  units: 4,
  valid: 0,
  failed: 0,
  cancelled: 0,
  computing: 0,
  reported: 0,
  ...some,
});

it.each([
  ['nothing has happened', {}, 'o'],
  ['all are valid', { valid: 4 }, 'v'],
  ['one is valid and nothing moves', { valid: 1 }, 'p'],
  ['one is computed', { valid: 3, computing: 1 }, 'c'],
  ['one waits for a second result', { valid: 3, reported: 1 }, 'r'],
  ['one failed, whatever the others do', { valid: 2, failed: 1, computing: 1 }, 'f'],
  ['all were cancelled', { cancelled: 4 }, 'x'],
  ['valid ones remain of a cancelled job', { valid: 1, cancelled: 3 }, 'p'],
] as const)('shows when %s', (_case, some, letter) => {
  expect(squareOf(counts(some))).toBe(letter);
});
