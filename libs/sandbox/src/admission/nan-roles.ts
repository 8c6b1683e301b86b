import { perOpcode } from '../binary/opcodes.js';
import { SHAPES } from './vector-shapes.js';

/** What to do at an instruction. */
export const NAN_ACTION = {
  none: 0,
  f32Before: 1,
  f64Before: 2,
  f32x4Before: 3,
  f64x2Before: 4,
  f32x4After: 5,
  f64x2After: 6,
} as const;

/** How an instruction treats the bits of float operands. */
export const ROLE = {
  plain: 0,
  arithmetic: 1,
  copySign: 2,
  signOnly: 3,
  select: 4,
  vectorArithmetic: 5,
  vectorCompare: 6,
  extractLane: 7,
  splat: 8,
  replaceLane: 9,
  vectorPick: 10,
  shuffle: 11,
  vectorConstant: 12,
  vectorStore: 13,
} as const;

const OTHER_ROLES: ReadonlyMap<string, number> = new Map([
  ['i8x16.shuffle', ROLE.shuffle],
  ['v128.const', ROLE.vectorConstant],
  ['v128.store', ROLE.vectorStore],
]);

function roleOf(name: string): number {
  if (/^f(32|64)\.(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|demote_f64|promote_f32)$/.test(name))
    return ROLE.arithmetic;
  if (/^f(32|64)\.copysign$/.test(name)) return ROLE.copySign;
  if (/^f(32|64)\.(abs|neg)$/.test(name)) return ROLE.signOnly;
  if (name.startsWith('select')) return ROLE.select;
  if (/^f(32x4|64x2)\.(add|sub|mul|div|sqrt|min|max|ceil|floor|trunc|nearest|demote|promote)/.test(name))
    return ROLE.vectorArithmetic;
  if (/^f(32x4|64x2)\.(eq|ne|lt|gt|le|ge)$|trunc_sat_f(32x4|64x2)/.test(name)) return ROLE.vectorCompare;
  if (/^f(32x4|64x2)\.extract_lane$/.test(name)) return ROLE.extractLane;
  if (/^f(32x4|64x2)\.splat$/.test(name)) return ROLE.splat;
  if (/^f(32x4|64x2)\.replace_lane$/.test(name)) return ROLE.replaceLane;
  if (/^f(32x4|64x2)\.(abs|neg|pmin|pmax)$/.test(name)) return ROLE.vectorPick;
  return OTHER_ROLES.get(name) ?? ROLE.plain;
}

/** The ROLE of each opcode. */
export const role = perOpcode(({ name }) => roleOf(name));

/** Observes the scalar on top: the NAN_ACTION that makes it canonical. A splat does so unless its lanes are arithmetic. */
export const observes = perOpcode(({ name }) => {
  if (/^f32\.(store|copysign)$|reinterpret_f32|^f32x4\.(splat|replace_lane)$/.test(name))
    return NAN_ACTION.f32Before;
  if (/^f64\.(store|copysign)$|reinterpret_f64|^f64x2\.(splat|replace_lane)$/.test(name))
    return NAN_ACTION.f64Before;
  return NAN_ACTION.none;
});

/** Lanes that a vector instruction reads and writes as floats, as SHAPES. */
export const lanesRead = perOpcode(({ name }) =>
  /f64x2|f64x2_zero/.test(name) && !name.startsWith('f64x2.promote') ? SHAPES.f64x2 : SHAPES.f32x4,
);
export const lanesWritten = perOpcode(({ name }) => (name.startsWith('f64x2') ? SHAPES.f64x2 : SHAPES.f32x4));
