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

  it('has as many rows as a large job has units', () => {
    const rows = Array.from({ length: 300_000 }, (_, index) => [`${index}`, 'valid']);
    const lines = tableLines(['unit', 'state'], rows);
    expect(lines.at(-1)).toBe('299999  valid');
  });
});
