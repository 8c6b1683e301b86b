import { describe, expect, it } from 'vitest';
import type { ClaimRow } from './claim.statement.js';
import { outcomeOf } from './ticket-outcome.js';

const NOON_MS = Date.UTC(2026, 10, 21, 12);
const HOST = { cores: 8, countedCores: 4 };
const REFUSED = { n: 1, others: 0, params: null, windows: null, deadline_ms: null } as const;

function outcome(refusal: ClaimRow['refusal'], about: Partial<ClaimRow> = {}) {
  const row = { ...REFUSED, allowance_per_day: 16, in_progress: 9, held_reason: null, refusal, ...about };
  return outcomeOf(row, { cap: 10 }, HOST, NOON_MS);
}

describe('a claim that was refused', () => {
  it('ends a ticket that never becomes a task', () => {
    expect(outcome('gone')).toEqual({ kind: 'gone' });
  });

  it.each([
    ['own', 'already-has-task'],
    ['dependent', 'needs-another-account'],
  ] as const)('leaves the ticket to others where it is refused as %s', (refusal, why) => {
    expect(outcome(refusal)).toEqual({ kind: 'not-theirs', why });
  });

  it('gives a host nothing more once it is held, or has used what it may have', () => {
    const heldReason = { held_reason: 'too fast' };
    expect(outcome('held', heldReason)).toEqual({
      kind: 'no-more',
      cause: { code: 'host-held', reason: 'too fast' },
    });
    const resetsAt = new Date(Date.UTC(2026, 10, 22));
    expect(outcome('allowance')).toEqual({
      kind: 'no-more',
      cause: { code: 'allowance-used', perDay: 16, resetsAt },
    });
  });

  it.each([
    [0, 10],
    [10, 10],
    // It offers fewer cores than it did.
    [12, 12],
  ])('counts as in progress what the host has got with it, of %d before %d', (before, inProgress) => {
    expect(outcome('cap', { in_progress: before })).toEqual({
      kind: 'no-more',
      cause: { code: 'too-many-in-progress', inProgress, cap: 10, ...HOST },
    });
  });

  it('gives a host nothing more where the database has said nothing', () => {
    expect(outcomeOf(undefined, { cap: 10 }, HOST, NOON_MS)).toEqual({
      kind: 'no-more',
      cause: { code: 'server-busy' },
    });
  });
});
