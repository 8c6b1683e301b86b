import { describe, expect, it } from 'vitest';
import { hostWishes } from './host-wishes.js';

describe('wishes from afar', () => {
  it('carry preferences as a volunteer writes them', () => {
    const wishes = {
      run: 'run',
      version: 3,
      preferences: { whileInUse: 'compute', cores: { inUse: 1 }, hours: { everyday: '22:00-07:00' } },
    };
    expect(hostWishes.parse(wishes)).toEqual(wishes);
  });

  it.each([
    ['a field nobody knows', { run: 'run', version: 1, preferences: { volume: 11 } }],
    ['hours that are none', { run: 'run', version: 1, preferences: { hours: { monday: ['25:00-07:00'] } } }],
    ['a share above everything', { run: 'run', version: 1, preferences: { maxCpuByOthersPercent: 101 } }],
    ['no version', { run: 'pause' }],
    ['a command of another time', { run: 'explode', version: 1 }],
  ])('are refused with %s', (_what, wishes) => {
    expect(hostWishes.safeParse(wishes).success).toBe(false);
  });
});
