import { expect, it } from 'vitest';
import { isContinuousIntegration } from './redis-server.js';

it('a machine without Redis fails where CI is set to anything but no', () => {
  expect(['true', '1', 'TRUE', 'woodpecker'].filter((setting) => !isContinuousIntegration(setting))).toEqual(
    [],
  );
  expect([undefined, '', '0', 'false', 'False'].filter(isContinuousIntegration)).toEqual([]);
});
