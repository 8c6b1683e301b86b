import { describe, expect, it } from 'vitest';
import { ACCUSATION_WINDOW_MS, isGuiltConfirmed, type Accusation } from './bad-peers.js';

const nowMs = 10 * ACCUSATION_WINDOW_MS;
const rules = { nowMs, allowSameNetwork: false };
const accused = { personId: 'accused' };
const aWord = (personId: string, network: string | null, atMs = nowMs): Accusation => ({
  personId,
  isAnonymous: false,
  network,
  atMs,
});
const anonymous = (word: Accusation): Accusation => ({ ...word, isAnonymous: true });

describe('a bad peer', () => {
  it('is confirmed by two people on two networks', () => {
    expect(isGuiltConfirmed([aWord('a', 'n1'), aWord('b', 'n2')], accused, rules)).toBe(true);
  });

  it.each([
    ['two accounts without a name', [anonymous(aWord('a', 'n1')), anonymous(aWord('b', 'n2'))]],
    ['one person', [aWord('a', 'n1'), aWord('a', 'n2')]],
    ['one network', [aWord('a', 'n1'), aWord('b', 'n1')]],
    ['unknown networks', [aWord('a', null), aWord('b', null)]],
    ['the accused itself', [aWord('a', 'n1'), aWord('accused', 'n2')]],
    ['words of two days', [aWord('a', 'n1'), aWord('b', 'n2', nowMs - ACCUSATION_WINDOW_MS)]],
  ])('is not confirmed by %s', (_who, words) => {
    expect(isGuiltConfirmed(words, accused, rules)).toBe(false);
  });

  it('is confirmed by somebody and an account without a name', () => {
    const words = [aWord('a', 'n1'), anonymous(aWord('b', 'n2'))];
    expect(isGuiltConfirmed(words, accused, rules)).toBe(true);
  });

  it('is confirmed by two people on one network where the operator allows that', () => {
    const words = [aWord('a', 'n1'), aWord('b', 'n1')];
    expect(isGuiltConfirmed(words, accused, { ...rules, allowSameNetwork: true })).toBe(true);
  });
});
