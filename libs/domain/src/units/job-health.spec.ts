import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pauseReason, type JobTally } from './job-health.js';
import { judgeReport } from './judge-report.js';

const times = (count: number, outcome: keyof JobTally) => Array.from({ length: count }, () => outcome);

describe('pauseReason', () => {
  it('pauses when the eleventh of the first 50 units fails', () => {
    expect(pauseReason({ valid: 20, failed: 9 }, ['failed'], 1000)).toBeNull();
    expect(pauseReason({ valid: 20, failed: 10 }, ['failed'], 1000)).toBe(
      '11 of the first 31 units failed (more than 20 % of 50)',
    );
  });

  it('watches all units of a smaller job, and assumes a large one while it splits', () => {
    expect(pauseReason({ valid: 0, failed: 0 }, ['failed'], 4)).not.toBeNull();
    expect(pauseReason({ valid: 0, failed: 0 }, ['failed'], null)).toBeNull();
  });

  it('leaves a job alone after its first units, and after it was resumed', () => {
    expect(pauseReason({ valid: 45, failed: 5 }, times(85, 'failed'), 1000)).toBeNull();
    expect(pauseReason({ valid: 0, failed: 11 }, ['failed'], 1000)).toBeNull();
  });

  it('counts no failures beyond the first 50, however many units settle at once', () => {
    const late = [...times(50, 'valid'), ...times(11, 'failed'), ...times(939, 'valid')];
    expect(pauseReason({ valid: 0, failed: 0 }, late, 1000)).toBeNull();
    const early = [...times(11, 'failed'), ...times(989, 'valid')];
    expect(pauseReason({ valid: 0, failed: 0 }, early, 1000)).toBe(
      '11 of the first 11 units failed (more than 20 % of 50)',
    );
  });

  it('says the same however the units are batched', () => {
    const outcomes = fc.array(fc.constantFrom('valid' as const, 'failed' as const), {
      maxLength: 120,
      size: 'max',
    });
    const reasonsOf = (settled: readonly (keyof JobTally)[], size: number, total: number): string[] => {
      const before = { valid: 0, failed: 0 };
      const reasons: string[] = [];
      for (let at = 0; at < settled.length; at += size) {
        const batch = settled.slice(at, at + size);
        const reason = pauseReason(before, batch, total);
        if (reason !== null) reasons.push(reason);
        for (const outcome of batch) before[outcome] += 1;
      }
      return reasons;
    };
    fc.assert(
      fc.property(outcomes, fc.integer({ min: 2, max: 130 }), fc.integer({ min: 1, max: 200 }), (...of) => {
        const [settled, size, more] = of;
        const total = settled.length + more - 1;
        const one = reasonsOf(settled, 1, total);
        expect(reasonsOf(settled, size, total)).toEqual(one);
        const watched = settled.slice(0, 50);
        const failed = watched.filter((outcome) => outcome === 'failed').length;
        expect(one).toHaveLength(failed > Math.min(50, total) * 0.2 ? 1 : 0);
      }),
    );
  });
});

describe('judgeReport', () => {
  it('accepts unfinished tasks, late ones of agreed units included, and recognises repeats', () => {
    expect(judgeReport('in-progress', 'open', false, false)).toEqual({ status: 'accepted' });
    expect(judgeReport('lost', 'open', false, false)).toEqual({ status: 'accepted' });
    expect(judgeReport('aborted', 'valid', true, false)).toEqual({ status: 'accepted' });
    for (const state of ['reported', 'valid', 'invalid', 'error'] as const) {
      expect(judgeReport(state, 'cancelled', false, true)).toEqual({ status: 'repeat' });
    }
    expect(judgeReport('aborted', 'valid', true, true)).toEqual({ status: 'repeat' });
  });

  it('refuses results of units that ended without an agreed one', () => {
    expect(judgeReport('aborted', 'cancelled', false, true)).toEqual({
      status: 'refused',
      reason: 'the work unit is cancelled; its results are no longer wanted',
    });
  });
});
