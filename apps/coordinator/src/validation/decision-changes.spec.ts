import { expect, it } from 'vitest';
import { nextAllowances } from './decision-changes.js';

it.each([
  ['valid is invalid after all', { valid: -1, invalid: 1 }, 4],
  ['invalid is valid after all', { valid: 1, invalid: -1 }, 16],
])('the allowance of a host whose task was %s follows the later word alone', (_what, steps, perDay) => {
  const judged = [{ unitId: 1, hostId: '7', errors: 0, ...steps }];
  const before = new Map([['7', { perDay: 8, cores: 2 }]]);
  const after = nextAllowances(judged, before, { initialPerCore: 4, maxPerCore: 100 });
  expect(after).toEqual(new Map([['7', perDay]]));
});
