import { assert, property, double, nat } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from './backoff-delay.js';

const RULE = { baseMs: 1_000, maxMs: 60_000 };

describe('backoffDelayMs', () => {
  it('doubles with each attempt up to the maximum', () => {
    const delays = [0, 1, 2, 3, 10].map((attempt) => backoffDelayMs(RULE, attempt, 1));
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 60_000]);
  });

  it('stays between half of the step and the step, whatever the attempt', () => {
    assert(
      property(nat(), double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const delay = backoffDelayMs(RULE, attempt, random);
        const step = Math.min(60_000, 1_000 * 2 ** attempt);
        expect(delay).toBeGreaterThanOrEqual(step / 2);
        expect(delay).toBeLessThanOrEqual(step);
      }),
    );
  });
});
