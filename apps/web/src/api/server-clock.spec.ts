import { afterEach, expect, it, vi } from 'vitest';
import { noteServerTime, serverNowMs } from './server-clock';

afterEach(() => vi.useRealTimers());

it('follows the coordinator’s clock, whatever this computer’s shows', () => {
  vi.useFakeTimers({ now: Date.parse('2020-01-01T00:00:00Z') });
  noteServerTime('Sat, 21 Nov 2026 05:00:00 GMT');
  vi.advanceTimersByTime(60_000);
  expect(new Date(serverNowMs()).toISOString()).toBe('2026-11-21T05:01:00.000Z');
});

it('keeps what it knows where an answer tells no time', () => {
  const before = Math.round((serverNowMs() - Date.now()) / 1000);
  noteServerTime(null);
  noteServerTime('yesterday');
  expect(Math.round((serverNowMs() - Date.now()) / 1000)).toBe(before);
});
