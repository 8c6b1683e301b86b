import { perOpcode } from '../binary/opcodes.js';

/** What to do at an instruction. */
export const NAN_ACTION = { none: 0, f32Before: 1, f64Before: 2, f32x4After: 3, f64x2After: 4 } as const;

/** How an instruction treats the bits of float operands. */
export const ROLE = {
  plain: 0,
  arithmetic: 1,
  copySign: 2,
  signOnly: 3,
  select: 4,
  vectorArithmetic: 5,
  vectorRead: 6,
} as const;

function roleOf(name: string): number {
  if (/^f(32|64)\.(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|demote_f64|promote_f32)$/.test(name))
    return ROLE.arithmetic;
  if (/^f(32|64)\.copysign$/.test(name)) return ROLE.copySign;
  if (/^f(32|64)\.(abs|neg)$/.test(name)) return ROLE.signOnly;
  if (name.startsWith('select')) return ROLE.select;
  if (/^f(32x4|64x2)\.(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|demote|promote)/.test(name))
    return ROLE.vectorArithmetic;
  if (/^f(32x4|64x2)\.(eq|ne|lt|gt|le|ge|extract_lane)$|trunc_sat_f(32x4|64x2)/.test(name))
    return ROLE.vectorRead;
  return ROLE.plain;
}

/** The ROLE of each opcode. */
export const role = perOpcode(({ name }) => roleOf(name));

/** Observes the scalar on top: 1 for f32, 2 for f64 (the values of NAN_ACTION). */
export const observes = perOpcode(({ name }) => {
  if (/^f32\.(store|copysign)$|reinterpret_f32|^f32x4\.(splat|replace_lane)$/.test(name))
    return NAN_ACTION.f32Before;
  if (/^f64\.(store|copysign)$|reinterpret_f64|^f64x2\.(splat|replace_lane)$/.test(name))
    return NAN_ACTION.f64Before;
  return NAN_ACTION.none;
});

/** Lanes that a vector instruction reads and writes as floats: 1 = f32x4, 2 = f64x2. */
export const lanesRead = perOpcode(({ name }) =>
  /f64x2|f64x2_zero/.test(name) && !name.startsWith('f64x2.promote') ? 2 : 1,
);
export const lanesWritten = perOpcode(({ name }) => (name.startsWith('f64x2') ? 2 : 1));
