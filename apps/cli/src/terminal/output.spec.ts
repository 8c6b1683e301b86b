import { describe, expect, it } from 'vitest';
import { tableLines } from './output.js';

describe('a table', () => {
  it('has its columns aligned, numbers to the right', () => {
    expect(
      tableLines(
        ['unit', 'state'],
        [
          ['7', 'valid'],
          ['12', 'open'],
        ],
      ),
    ).toEqual(['unit  state', '   7  valid', '  12  open']);
  });

  it.each([
    ['パルサー', 8],
    ['电波天文', 8],
    ['은하', 4],
    ['Ｑuasar', 7],
    ['ﾊﾟﾙｻｰ', 5],
    ['e\u0301clat', 5],
    ['🔭 sky', 6],
    ['❤️', 2],
  ])('stays aligned beside %s, of which a terminal makes %i cells', (name, cells) => {
    const rows = [
      [name, 'open'],
      ['x'.repeat(20), 'open'],
    ];
    const [, first, second] = tableLines(['name', 'state'], rows);
    expect(first).toBe(`${name}${' '.repeat(20 - cells)}  open`);
    expect(second).toBe(`${'x'.repeat(20)}  open`);
  });

  it('has as many rows as a large job has units', () => {
    const rows = Array.from({ length: 300_000 }, (_, index) => [`${index}`, 'valid']);
    const lines = tableLines(['unit', 'state'], rows);
    expect(lines.at(-1)).toBe('299999  valid');
  });
});
