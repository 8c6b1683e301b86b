import { expect, it } from 'vitest';
import { amountLabels, axisLabel } from './axis-label';

const MIDNIGHT = Date.parse('2026-11-20T00:00:00Z') / 1000;

it.each([
  [0, 'Etc/UTC', 'Nov 20'],
  [16, 'Etc/UTC', '4 PM'],
  [0, 'America/Los_Angeles', '4 PM'],
  [8, 'America/Los_Angeles', 'Nov 20'],
  [18.25, 'Asia/Kathmandu', 'Nov 21'],
])('an axis says %d h after midnight UTC in %s: %s', (hours, zone, label) => {
  expect(axisLabel(MIDNIGHT + hours * 3600, zone)).toBe(label);
});

it('an axis of amounts says nothing between two of them', () => {
  const format = (amount: number): string => BigInt(Math.round(amount)).toString();
  expect(amountLabels([0, 0.2, 0.4, 0.6, 0.8, 1], format)).toEqual(['0', '', '', '', '', '1']);
  expect(amountLabels([0, 5e20, 1e21], format)).toEqual(['0', `5${'0'.repeat(20)}`, `1${'0'.repeat(21)}`]);
});
