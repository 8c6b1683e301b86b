import { describe, expect, it } from 'vitest';
import { askedToWaitMs, foundOrNull, isAway, isNotThere, problemOf } from './problem-error';

function anAnswer(status: number, headers: Record<string, string> = {}) {
  return problemOf({ detail: 'no' }, { status, headers: new Headers(headers) });
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
