import { describe, expect, it } from 'vitest';
import { askedToWaitMs, errorOf, foundOrNull, isAway, isNotThere, ProblemError } from './problem-error';

function anAnswer(status: number, headers: Record<string, string> = {}) {
  return errorOf({ code: 'no', detail: 'no' }, { status, headers: new Headers(headers) });
}

describe('what an error means for a page', () => {
  it.each([400, 403, 404, 410])('%d: nothing is there', (status) => {
    expect(isNotThere(anAnswer(status))).toBe(true);
  });

  it.each([401, 409, 429, 500, 503])('%d says nothing about whether something is there', (status) => {
    expect(isNotThere(anAnswer(status))).toBe(false);
  });

  it('is away where nobody answers, or only a proxy', () => {
    expect(isAway(new TypeError('Failed to fetch'))).toBe(true);
    expect(isAway(anAnswer(502))).toBe(true);
    expect(isAway(anAnswer(429))).toBe(false);
    expect(isAway(anAnswer(500))).toBe(false);
  });

  it.each([400, 401, 403, 404, 410, 500, 502, 503, 504])(
    'is away where somebody else answers %d in the coordinator’s place',
    (status) => {
      for (const body of ['<h1>Not here</h1>', '', { message: 'no Route matched' }, null]) {
        const error = errorOf(body, { status, headers: new Headers() });
        expect([isAway(error), isNotThere(error)]).toEqual([true, false]);
      }
    },
  );

  it('is asked too often whoever says so', () => {
    const error = errorOf('<h1>Slower</h1>', { status: 429, headers: new Headers({ 'retry-after': '3' }) });
    expect([error instanceof ProblemError, askedToWaitMs(error)]).toEqual([true, 3_000]);
  });

  it('waits as long as it is asked to, and within bounds', () => {
    expect(askedToWaitMs(anAnswer(429, { 'retry-after': '12' }))).toBe(12_000);
    expect(askedToWaitMs(anAnswer(429, { 'retry-after': '0' }))).toBe(1_000);
    expect(askedToWaitMs(anAnswer(429, { 'retry-after': '86400' }))).toBe(60_000);
    expect(askedToWaitMs(anAnswer(429))).toBe(60_000);
    expect(askedToWaitMs(anAnswer(503, { 'retry-after': '12' }))).toBeNull();
  });
});

describe('what may not be there', () => {
  it('is null only where the coordinator says so', async () => {
    expect(await foundOrNull(Promise.resolve({ data: 7 }))).toBe(7);
    expect(await foundOrNull(Promise.reject(anAnswer(404)))).toBeNull();
    await expect(foundOrNull(Promise.reject(anAnswer(503)))).rejects.toThrow('no');
    await expect(foundOrNull(Promise.reject(new TypeError('Failed to fetch')))).rejects.toThrow('fetch');
  });
});
