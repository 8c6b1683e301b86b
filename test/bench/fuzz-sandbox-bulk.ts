import {
  DATA_BYTES,
  DATA_SEGMENT,
  ELEMENT_SEGMENT,
  FUNCTIONS,
  LENGTH,
  type Parts,
  type Scope,
  TABLE_SIZE,
} from './fuzz-sandbox-frame.js';
import { bulk, DROP, type Instruction, op } from './fuzz-sandbox-operators.js';

/*
 * Bulk operations on the memory, and the table.
 */

/** Some bits of any integer. */
export function masked(parts: Parts, mask: number, scope: Scope): Instruction[] {
  return [...parts.expression('i32', 2, scope), op(0x41, mask), op(0x71)];
}

/** Up to 63 bytes that are moved, written or taken from the segment. */
export function bulkMemory(parts: Parts, scope: Scope): Instruction[] {
  const { random, traits } = parts;
  if (traits.withTables && random.chance(3)) return [op(0xfc, 9, DATA_SEGMENT)];
  const length = [...masked(parts, 0x3f, scope), op(0x21, LENGTH)];
  const to = parts.address(scope);
  switch (random.int(3)) {
    case 0:
      return [...length, ...to, ...parts.address(scope), op(0x20, LENGTH), bulk(16, 10, 0, 0)];
    case 1:
      return [...length, ...to, ...parts.condition(scope), op(0x20, LENGTH), bulk(16, 11, 0)];
    default: {
      const from = op(0x41, random.int(DATA_BYTES / 2));
      return [...length, ...to, from, op(0x20, LENGTH), bulk(16, 8, DATA_SEGMENT, 0)];
    }
  }
}

export function changeTable(parts: Parts, scope: Scope): Instruction[] {
  const { random, traits } = parts;
  const some = op(0xd2, traits.imported + random.int(FUNCTIONS));
  const length = [...masked(parts, 3, scope), op(0x21, LENGTH)];
  const to = entry(parts, scope);
  const from = op(0x41, random.int(2));
  switch (random.int(5)) {
    case 0:
      return [...to, random.chance(10) ? op(0xd0, 0x70) : some, op(0x26, 0)];
    case 1:
      return [...length, from, some, op(0x20, LENGTH), bulk(1, 17, 0)];
    case 2:
      return [...length, from, op(0x41, random.int(2)), op(0x20, LENGTH), bulk(1, 14, 0, 0)];
    case 3:
      return [...length, from, op(0x41, 0), op(0x20, LENGTH), bulk(1, 12, ELEMENT_SEGMENT, 0)];
    default:
      return random.chance(10) ? [op(0xfc, 13, ELEMENT_SEGMENT)] : [...to, op(0x25, 0), DROP];
  }
}

/** The index of a function in the table, or of what is none, now and then. */
export function entry(parts: Parts, scope: Scope): Instruction[] {
  const { random } = parts;
  return random.chance(2) ? [op(0x41, random.int(TABLE_SIZE + 1))] : masked(parts, 3, scope);
}
