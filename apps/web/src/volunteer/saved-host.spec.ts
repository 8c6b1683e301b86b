import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  forgetHost,
  noteClaim,
  readSavedHost,
  saveHost,
  unclaimedHosts,
  worksFor,
  type SavedHost,
} from './saved-host';

function aHost(hostId: string, isAnonymous = true): SavedHost {
  return { hostId, accountId: `account of ${hostId}`, isAnonymous, secret: `secret of ${hostId}` };
}

describe('what a browser knows of its hosts', () => {
  let kept: Map<string, string>;
  beforeEach(() => {
    kept = new Map();
    vi.stubGlobal('localStorage', {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => kept.set(key, value),
      removeItem: (key: string) => kept.delete(key),
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('offers what was computed without a name once, to whoever claims it first', () => {
    saveHost(aHost('1'));
    expect(unclaimedHosts()).toEqual([aHost('1')]);
    noteClaim('1', 'vera');
    expect(unclaimedHosts()).toEqual([]);
    expect(worksFor(readSavedHost()!, 'vera')).toBe(true);
    expect(worksFor(readSavedHost()!, 'another')).toBe(false);
  });

  it('still offers it after somebody signed in and began to compute first', () => {
    saveHost(aHost('1'));
    saveHost(aHost('2', false));
    expect(readSavedHost()).toEqual(aHost('2', false));
    expect(unclaimedHosts()).toEqual([aHost('1')]);
    noteClaim('1', 'vera');
    expect(unclaimedHosts()).toEqual([]);
    expect(readSavedHost()).toEqual(aHost('2', false));
  });

  it('does not offer again what was claimed before another host took its place', () => {
    saveHost(aHost('1'));
    noteClaim('1', 'vera');
    saveHost(aHost('2', false));
    expect(unclaimedHosts()).toEqual([]);
  });

  it('keeps what is unclaimed when the current host is forgotten, and no more than a handful', () => {
    for (let host = 0; host < 40; host += 1) saveHost(aHost(`${host}`));
    forgetHost();
    expect(readSavedHost()).toBeNull();
    expect(unclaimedHosts().map(({ hostId }) => hostId)).toEqual(
      Array.from({ length: 16 }, (_, index) => `${38 - index}`),
    );
  });

  it.each(['{', '"text"', '{"hostId":5}', '[1,null]'])('takes %s for nothing', (text) => {
    kept.set('gleaner.host', text);
    kept.set('gleaner.unclaimed', text);
    expect(readSavedHost()).toBeNull();
    expect(unclaimedHosts()).toEqual([]);
  });
});
