import { expect, it } from 'vitest';
import { whyUnsuited } from './server-facts.js';

it.each([
  ['12.22 (Debian 12.22-1)', 120_022],
  ['13.23', 130_023],
])('refuses Postgres %s, on which some requests fail, before anything is made in it', (version, number) => {
  expect(whyUnsuited({ encoding: 'UTF8', version, number })).toBe(
    `it is Postgres ${version}, and Gleaner needs 14 or newer`,
  );
});

it('takes every later one', () => {
  expect(whyUnsuited({ encoding: 'UTF8', version: '14.0', number: 140_000 })).toBeNull();
  expect(whyUnsuited({ encoding: 'UTF8', version: '18.4', number: 180_004 })).toBeNull();
});
