import { expect, it } from 'vitest';
import { heartbeatMs, retryAfterMs } from './calling-times.js';

it('lets a host that was served ask again at once', () => {
  expect(retryAfterMs([])).toBe(0);
});

it('lets a host ask again when the first of the causes may be over', () => {
  expect(retryAfterMs([{ code: 'memory-too-small' }])).toBe(5_000);
  expect(retryAfterMs([{ code: 'memory-too-small' }, { code: 'queue-empty' }])).toBe(1_000);
});

it('does not let a host wait for the end of the day once its allowance is used', () => {
  expect(retryAfterMs([{ code: 'allowance-used' }])).toBeLessThanOrEqual(10_000);
});

it('hears from tabs, which are closed without a word, more often than from machines', () => {
  expect(heartbeatMs('browser')).toBeLessThanOrEqual(60_000);
  expect(heartbeatMs('agent')).toBeLessThanOrEqual(5 * 60_000);
});
