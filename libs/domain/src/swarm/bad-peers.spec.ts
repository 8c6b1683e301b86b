import { describe, expect, it } from 'vitest';
import { ACCUSATION_WINDOW_MS, isGuiltConfirmed, type Accusation } from './bad-peers.js';

const nowMs = 10 * ACCUSATION_WINDOW_MS;
const rules = { nowMs, allowSameNetwork: false };
const accused = { accountId: 'accused' };
const aWord = (accountId: string, network: string | null, atMs = nowMs): Accusation => ({
  accountId,
  network,
  atMs,
});

describe('a bad peer', () => {
  it('is confirmed by two accounts on two networks', () => {
    expect(isGuiltConfirmed([aWord('a', 'n1'), aWord('b', 'n2')], accused, rules)).toBe(true);
  });

  it.each([
    ['one account', [aWord('a', 'n1'), aWord('a', 'n2')]],
    ['one network', [aWord('a', 'n1'), aWord('b', 'n1')]],
    ['unknown networks', [aWord('a', null), aWord('b', null)]],
    ['the accused itself', [aWord('a', 'n1'), aWord('accused', 'n2')]],
    ['words of two days', [aWord('a', 'n1'), aWord('b', 'n2', nowMs - ACCUSATION_WINDOW_MS)]],
  ])('is not confirmed by %s', (_who, words) => {
    expect(isGuiltConfirmed(words, accused, rules)).toBe(false);
  });

  it('is confirmed by two accounts on one network where the operator allows that', () => {
    const words = [aWord('a', 'n1'), aWord('b', 'n1')];
    expect(isGuiltConfirmed(words, accused, { ...rules, allowSameNetwork: true })).toBe(true);
  });
});
