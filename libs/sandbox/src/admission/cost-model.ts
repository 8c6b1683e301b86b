import { opcode, perOpcode } from '../binary/opcodes.js';

/** Instructions that only structure the code, or do nothing. */
const FREE: ReadonlySet<string> = new Set(['block', 'loop', 'else', 'end', 'nop']);

/** Cost model 1: the fixed cycles of each instruction by opcode. */
export const CYCLES = perOpcode(({ name }) => (FREE.has(name) ? 0 : 1));

/**
 * Instructions that cost more with the length on top of their operands: `bytes / 16` rounded up for memory, one cycle
 * per element for tables. The value is the divisor's exponent.
 */
export const LENGTH_SHIFT: ReadonlyMap<number, number> = new Map([
  [opcode('memory.copy'), 4],
  [opcode('memory.fill'), 4],
  [opcode('memory.init'), 4],
  [opcode('table.copy'), 0],
  [opcode('table.fill'), 0],
  [opcode('table.init'), 0],
]);
