import { expect, it } from 'vitest';
import { DEFAULT_WISHES, pauseReason } from './pause-reason';

it('pauses on battery and in a hidden tab unless asked otherwise', () => {
  const awake = { isHidden: false, isOnBattery: false };
  expect(pauseReason(DEFAULT_WISHES, awake, 'run')).toBeNull();
  expect(pauseReason(DEFAULT_WISHES, { ...awake, isHidden: true }, 'run')).toContain('hidden');
  expect(pauseReason(DEFAULT_WISHES, { ...awake, isOnBattery: true }, 'run')).toContain('battery');
  const eager = { ...DEFAULT_WISHES, evenWhenHidden: true, evenOnBattery: true };
  expect(pauseReason(eager, { isHidden: true, isOnBattery: true }, 'run')).toBeNull();
  expect(pauseReason(eager, awake, 'finish')).toBeNull();
  expect(pauseReason(eager, awake, 'pause')).toContain('from afar');
});
