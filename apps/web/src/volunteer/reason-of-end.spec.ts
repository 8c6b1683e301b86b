import { CoordinatorError } from '@gleaner/worker-sdk/browser';
import { describe, expect, it } from 'vitest';
import { reasonOfEnd } from './reason-of-end';

const said = 'https://gleaner.example answered, in words for those who have a token';

describe('why volunteering ended', () => {
  it.each(['revoked', 'unreachable', 'not-a-coordinator', 'too-old', 'unavailable'] as const)(
    'is told to whoever has neither an address nor a token, with what to do: %s',
    (kind) => {
      const told = reasonOfEnd(new CoordinatorError(kind, said));
      expect(told).not.toContain(said);
      expect(told).toMatch(/tart again/);
    },
  );

  it('is what the coordinator says of it, where it does', () => {
    const title = 'Too many requests';
    const problem = { type: 'urn:gleaner:problem:rate-limited', title, status: 429, code: 'rate-limited' };
    const detail = 'At most 2000 machines are attached to one account in an hour. Try again in 2400 s.';
    expect(reasonOfEnd(new CoordinatorError('unavailable', detail, { problem }))).toBe(detail);
    expect(reasonOfEnd(new CoordinatorError('refused', detail, { problem }))).toBe(detail);
    expect(reasonOfEnd(new Error('This page cannot compute.'))).toBe('This page cannot compute.');
  });

  it('is a sentence where nobody answered in time, whatever the browser calls that', () => {
    const timeout = new DOMException('signal timed out', 'TimeoutError');
    expect(reasonOfEnd(timeout)).toBe('The coordinator took too long to answer. Start again in a moment.');
  });
});
