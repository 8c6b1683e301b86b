import { expect, it } from 'vitest';
import { DEFAULT_WISHES, pauseReason } from './pause-reason';

it('pauses on battery and in a hidden tab unless asked otherwise', () => {
  const awake = { isHidden: false, isOnBattery: false };
  expect(pauseReason(DEFAULT_WISHES, awake)).toBeNull();
  expect(pauseReason(DEFAULT_WISHES, { ...awake, isHidden: true })).toContain('hidden');
  expect(pauseReason(DEFAULT_WISHES, { ...awake, isOnBattery: true })).toContain('battery');
  const eager = { ...DEFAULT_WISHES, evenWhenHidden: true, evenOnBattery: true };
  expect(pauseReason(eager, { isHidden: true, isOnBattery: true })).toBeNull();
});
