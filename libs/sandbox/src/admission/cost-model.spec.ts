import { describe, expect, it } from 'vitest';
import { INSTRUCTIONS } from '../binary/opcodes.js';
import { CYCLES, LENGTH_SHIFT } from './cost-model.js';

const FREE = ['nop', 'block', 'loop', 'else', 'end'];
const BY_LENGTH: Readonly<Record<string, number>> = {
  'memory.init': 4,
  'memory.copy': 4,
  'memory.fill': 4,
  'table.init': 0,
  'table.copy': 0,
  'table.fill': 0,
};

describe('cost model 1', () => {
  it.each(INSTRUCTIONS.map(({ name, code }) => [name, code] as const))(
    'charges %s as written',
    (name, code) => {
      expect(CYCLES[code]).toBe(FREE.includes(name) ? 0 : 1);
      expect(LENGTH_SHIFT.get(code)).toBe(BY_LENGTH[name]);
    },
  );

  it('covers WebAssembly 2.0: its 201 instructions of the core and 236 of SIMD', () => {
    const inGroup = (from: number, to: number) =>
      INSTRUCTIONS.filter(({ code }) => code >= from && code < to).length;
    expect({ plain: inGroup(0, 0x100), numeric: inGroup(0x100, 0x200), simd: inGroup(0x200, 0x300) }).toEqual(
      {
        plain: 183,
        numeric: 18,
        simd: 236,
      },
    );
    expect(new Set(INSTRUCTIONS.map(({ code }) => code)).size).toBe(INSTRUCTIONS.length);
  });

  it('knows nothing of opcodes outside the table', () => {
    const known = new Set(INSTRUCTIONS.map(({ code }) => code));
    const charged = CYCLES.reduce((sum, cycles, code) => sum + (known.has(code) ? 0 : cycles), 0);
    expect(charged).toBe(0);
  });
});
