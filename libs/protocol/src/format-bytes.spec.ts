import { expect, it } from 'vitest';
import { formatBytes } from './format-bytes.js';

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1000, '1.00 kB'],
  [9_994, '9.99 kB'],
  [9_999, '10.0 kB'],
  [361_549, '362 kB'],
  [999_499, '999 kB'],
  [999_950, '1.00 MB'],
  [12_500_000, '12.5 MB'],
  [4e21, '4000 EB'],
])('tells %d as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
