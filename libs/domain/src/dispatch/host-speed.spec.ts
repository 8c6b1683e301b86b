import { expect, it } from 'vitest';
import { cyclesPerSecond, type HostSpeed, speedAfter } from './host-speed.js';

const speedOf = (...results: ReadonlyArray<{ cycles: string; cpuMs?: number }>): number => {
  let speed: HostSpeed | undefined;
  for (const result of results) speed = speedAfter(speed, result);
  return speed ? cyclesPerSecond(speed) : 0;
};

it('is the rate of a host whose results are all alike', () => {
  expect(speedOf({ cycles: '5000000', cpuMs: 10 }, { cycles: '5000000', cpuMs: 10 })).toBe(500_000_000);
});

it('follows the newest results', () => {
  const slow = { cycles: '1000', cpuMs: 1000 };
  const fast = { cycles: '1000000', cpuMs: 1000 };
  expect(speedOf(slow, fast, fast, fast, fast, fast, fast)).toBeGreaterThan(980_000);
});

it('is not changed by a result without processor time', () => {
  const known = { cycles: '1000', cpuMs: 1000 };
  expect(speedOf(known, { cycles: '99999999' }, { cycles: '99999999', cpuMs: 0 })).toBe(1000);
  expect(speedOf({ cycles: '99999999' })).toBe(0);
});
