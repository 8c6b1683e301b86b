import { expect, it } from 'vitest';
import { formatBytes } from './format-bytes';

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1000, '1.00 kB'],
  [361_549, '362 kB'],
  [12_500_000, '12.5 MB'],
  [4e21, '4000 EB'],
])('tells %d as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
