import { describe, expect, it } from 'vitest';
import { pauseReason } from './job-health.js';
import { judgeReport } from './judge-report.js';

describe('pauseReason', () => {
  it('pauses when the eleventh of the first 50 units fails', () => {
    expect(pauseReason({ valid: 20, failed: 9 }, { valid: 20, failed: 10 }, 1000)).toBeNull();
    expect(pauseReason({ valid: 20, failed: 10 }, { valid: 20, failed: 11 }, 1000)).toBe(
      '11 of the first 31 units failed (more than 20 % of 50)',
    );
  });

  it('watches all units of a smaller job, and assumes a large one while it splits', () => {
    expect(pauseReason({ valid: 0, failed: 0 }, { valid: 0, failed: 1 }, 4)).not.toBeNull();
    expect(pauseReason({ valid: 0, failed: 0 }, { valid: 0, failed: 1 }, null)).toBeNull();
  });

  it('leaves a job alone after its first units, and after it was resumed', () => {
    expect(pauseReason({ valid: 45, failed: 5 }, { valid: 45, failed: 90 }, 1000)).toBeNull();
    expect(pauseReason({ valid: 0, failed: 11 }, { valid: 0, failed: 12 }, 1000)).toBeNull();
  });
});

describe('judgeReport', () => {
  it('accepts unfinished tasks, late ones of agreed units included, and recognises repeats', () => {
    expect(judgeReport('in-progress', 'open', false)).toEqual({ status: 'accepted' });
    expect(judgeReport('lost', 'open', false)).toEqual({ status: 'accepted' });
    expect(judgeReport('aborted', 'valid', true)).toEqual({ status: 'accepted' });
    for (const state of ['reported', 'valid', 'invalid', 'error'] as const) {
      expect(judgeReport(state, 'cancelled', false)).toEqual({ status: 'repeat' });
    }
  });

  it('refuses results of units that ended without an agreed one', () => {
    expect(judgeReport('aborted', 'cancelled', false)).toEqual({
      status: 'refused',
      reason: 'the work unit is cancelled; its results are no longer wanted',
    });
  });
});
