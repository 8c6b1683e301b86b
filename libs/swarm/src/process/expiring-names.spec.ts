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

  it('are so many at most: those that have ended leave first, then the longest known', () => {
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
});
