/*
 * What random programs are made of: types, and the instructions that lead from some of their values to another.
 */

export type Type = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

export interface Instruction {
  readonly bytes: readonly number[];
  /** 1 or 0 by the cost model, for all instructions that are generated. */
  readonly cycles: number;
  /** A bulk operation costs a cycle more for every so many units of its length, or a part of them. */
  readonly unitsPerCycle?: 1 | 16;
}

export const TYPE_BYTE: Readonly<Record<Type, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
export const TYPES: readonly Type[] = ['i32', 'i64', 'f32', 'f64', 'v128'];
export const NUMBERS: readonly Type[] = ['i32', 'i64'];
export const EMPTY = 0x40;

/** Opcodes by result; operands in order. */
type Operator = readonly [operands: readonly Type[], ...bytes: number[]];
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
export const simd = (code: number) => [0xfd, ...(code < 0x80 ? [code] : [(code & 0x7f) | 0x80, code >>> 7])];
/** Lanes of f32, of f64, and of neither as a whole. */
const SHUFFLES = [
  [4, 5, 6, 7, 16, 17, 18, 19, 0, 1, 2, 3, 28, 29, 30, 31],
  [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23],
  [3, 2, 1, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
];
export const OPERATORS: Readonly<Record<Type, readonly Operator[]>> = {
  i32: [
    ...[...range(0x6a, 0x6c), ...range(0x71, 0x78)].map((code): Operator => [['i32', 'i32'], code]),
    ...range(0x46, 0x4f).map((code): Operator => [['i32', 'i32'], code]),
    ...[0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1].map((code): Operator => [['i32'], code]),
    ...range(0x61, 0x66).map((code): Operator => [['f64', 'f64'], code]),
    [['i64'], 0xa7],
    [['f32'], 0xbc],
    [['f64'], 0xaa],
    [['f64'], 0xfc, 0x02],
    [['v128'], ...simd(0x1b), 2],
    [['v128'], ...simd(0x64)],
  ],
  i64: [
    ...[...range(0x7c, 0x7e), ...range(0x83, 0x8a)].map((code): Operator => [['i64', 'i64'], code]),
    [['i32'], 0xac],
    [['f64'], 0xbd],
    [['v128'], ...simd(0x1d), 1],
  ],
  f32: [
    ...range(0x92, 0x98).map((code): Operator => [['f32', 'f32'], code]),
    ...range(0x8b, 0x91).map((code): Operator => [['f32'], code]),
    [['f64'], 0xb6],
    [['i32'], 0xb2],
    [['i32'], 0xbe],
    [['v128'], ...simd(0x1f), 3],
  ],
  f64: [
    ...range(0xa0, 0xa6).map((code): Operator => [['f64', 'f64'], code]),
    ...range(0x99, 0x9f).map((code): Operator => [['f64'], code]),
    [['f32'], 0xbb],
    [['i64'], 0xb9],
    [['i64'], 0xbf],
    [['v128'], ...simd(0x21), 0],
  ],
  v128: [
    ...[
      0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf7, 0xeb, 0xf6, 0x51, 0x4e,
      0x6e, 0xae, 0x41, 0x4b,
    ].map((code): Operator => [['v128', 'v128'], ...simd(code)]),
    ...[0xe3, 0xef, 0xe0, 0xe1, 0xec, 0xed, 0x67, 0x5e, 0x5f, 0xf8, 0xfa].map((code): Operator => [
      ['v128'],
      ...simd(code),
    ]),
    [['f32'], ...simd(0x13)],
    [['f64'], ...simd(0x14)],
    [['i64'], ...simd(0x12)],
    [['v128', 'f64'], ...simd(0x22), 1],
    [['v128', 'f32'], ...simd(0x20), 2],
    ...SHUFFLES.map((lanes): Operator => [['v128', 'v128'], ...simd(0x0d), ...lanes]),
    [['v128', 'v128', 'v128'], ...simd(0x52)],
  ],
};
export const LOADS: Readonly<Record<Type, readonly number[]>> = {
  i32: [0x28],
  i64: [0x29],
  f32: [0x2a],
  f64: [0x2b],
  v128: simd(0),
};
export const STORES: Readonly<Record<Type, readonly number[]>> = {
  i32: [0x36],
  i64: [0x37],
  f32: [0x38],
  f64: [0x39],
  v128: simd(11),
};

export const op = (...bytes: number[]): Instruction => ({ bytes, cycles: 1 });
export const free = (...bytes: number[]): Instruction => ({ bytes, cycles: 0 });
export const END = free(0x0b);
export const DROP = op(0x1a);
/** Of bytes of the memory, and of elements of the table. */
export const bulk = (unitsPerCycle: 1 | 16, ...bytes: number[]): Instruction => ({
  bytes: [0xfc, ...bytes],
  cycles: 1,
  unitsPerCycle,
});

export function u32(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...u32(value >>> 7)];
}
