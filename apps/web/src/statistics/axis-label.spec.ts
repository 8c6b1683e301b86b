import { expect, it } from 'vitest';
import { axisLabel } from './axis-label';

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
