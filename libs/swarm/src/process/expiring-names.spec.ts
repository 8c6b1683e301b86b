import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpiringNames } from './expiring-names.js';

describe('ExpiringNames', () => {
  it('count until their moment, also for who takes them over', () => {
    let nowMs = 1000;
    const names = new ExpiringNames(10, () => nowMs);
    names.add('early', 2000);
    names.add('late', 3000);
    nowMs = 2000;
    const successor = new ExpiringNames(10, () => nowMs, names.entries);
    expect(['early', 'late'].map((name) => [names.has(name), successor.has(name)])).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(successor.entries).toEqual([['late', 3000]]);
  });

  it('are so many at most: those that have ended leave first, then those that end first', () => {
    let nowMs = 0;
    const names = new ExpiringNames(2, () => nowMs);
    names.add('long', 5000);
    names.add('short', 1000);
    nowMs = 1000;
    names.add('third', 5000);
    expect(names.entries.map(([name]) => name)).toEqual(['long', 'third']);
    names.add('fourth', 5000);
    expect(names.entries.map(([name]) => name)).toEqual(['third', 'fourth']);
    names.add('third', 6000);
    names.add('fifth', 6000);
    expect(names.entries.map(([name]) => name)).toEqual(['third', 'fifth']);
  });

  it('are those that end last of all that were added, in any order and at any time', () => {
    const steps = fc.array(fc.record({ name: fc.nat(8), forMs: fc.nat(20), laterMs: fc.nat(6) }));
    fc.assert(
      fc.property(steps, (added) => {
        let nowMs = 0;
        const names = new ExpiringNames(4, () => nowMs);
        let all: Array<readonly [string, number]> = [];
        for (const [at, { name, forMs, laterMs }] of added.entries()) {
          // No two end at the same moment.
          const untilMs = nowMs + forMs + at / 1000;
          names.add(`${name}`, untilMs);
          if (untilMs > nowMs) all = [...all.filter(([known]) => known !== `${name}`), [`${name}`, untilMs]];
          all = all.toSorted(([, a], [, b]) => a - b).slice(-4);
          nowMs += laterMs;
          expect(names.entries).toEqual(all.filter(([, endMs]) => endMs > nowMs));
        }
      }),
    );
  });

  it('are added to many without looking at all of them', () => {
    let looks = 0;
    const most = 20_000;
    const names = new ExpiringNames(most, () => {
      looks += 1;
      return 0;
    });
    const looksOf = (act: () => void): number => {
      looks = 0;
      act();
      return looks;
    };
    for (let at = 0; at < most; at += 1) names.add(`${at}`, 1000 + at);
    const spent = looksOf(() => {
      for (let at = 0; at < 10_000; at += 1) names.add(`new ${at}`, 100_000);
    });
    expect(spent).toBeLessThanOrEqual(30_000);
    expect(names.entries).toHaveLength(most);
  });
});
