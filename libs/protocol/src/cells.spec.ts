import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cellsOf, cutToCells, inCells } from './cells.js';

it('letters of some scripts and pictures take two cells, marks none', () => {
  expect(['abc', '日本', 'é', 'e\u0301', '🌌', 'ｱ', 'ｶﾞ'].map(cellsOf)).toEqual([3, 4, 1, 1, 2, 1, 2]);
});

it('a letter that has half a place is left out', () => {
  expect(cutToCells('日本語', 5)).toBe('日本');
  expect(inCells('日本語', 5)).toBe('日本 ');
});

it('whatever a text is of, it takes as many cells as it is given', () => {
  const text = fc.string({
    unit: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constant('日')),
  });
  fc.assert(
    fc.property(text, fc.nat(40), (of, cells) => {
      expect(cellsOf(inCells(of, cells))).toBe(cells);
      expect(of.startsWith(cutToCells(of, cells))).toBe(true);
    }),
  );
});
