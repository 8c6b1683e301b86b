import { opcode } from '../binary/opcodes.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import type { InstructionWriter } from './instruction-writer.js';
import { NAN_ACTION } from './nan-roles.js';

/** How to find and replace NaNs in one kind of value: a scalar, or each lane of a vector. */
export interface FloatKind {
  readonly type: number;
  readonly load: number;
  /** The sum is NaN where a summand is. */
  readonly add: number;
  readonly constant: number;
  /** The content of `constant`: the positive quiet NaN without payload. */
  readonly nan: Uint8Array;
  /** A comparison of a value with itself that only NaN fails. `le` takes one jump on x64, `eq` two. */
  readonly ordered: number;
  /** Takes the first operand where `ordered` holds, the second elsewhere. */
  readonly select: number;
  /** Turn a value, twice on the stack, into an i32 that is not 0 where any lane is NaN. */
  readonly isNan: readonly number[];
}

const F32_NAN = Uint8Array.of(0x00, 0x00, 0xc0, 0x7f);
const F64_NAN = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f);

const F32: FloatKind = {
  type: VALUE_TYPE.f32,
  load: opcode('f32.load'),
  add: opcode('f32.add'),
  constant: opcode('f32.const'),
  nan: F32_NAN,
  ordered: opcode('f32.le'),
  select: opcode('select'),
  isNan: [opcode('f32.le'), opcode('i32.eqz')],
};
const F64: FloatKind = {
  type: VALUE_TYPE.f64,
  load: opcode('f64.load'),
  add: opcode('f64.add'),
  constant: opcode('f64.const'),
  nan: F64_NAN,
  ordered: opcode('f64.le'),
  select: opcode('select'),
  isNan: [opcode('f64.le'), opcode('i32.eqz')],
};
const F32X4: FloatKind = {
  type: VALUE_TYPE.v128,
  load: opcode('v128.load'),
  add: opcode('f32x4.add'),
  constant: opcode('v128.const'),
  nan: Uint8Array.from([F32_NAN, F32_NAN, F32_NAN, F32_NAN].flatMap((lane) => [...lane])),
  ordered: opcode('f32x4.eq'),
  select: opcode('v128.bitselect'),
  isNan: [opcode('f32x4.ne'), opcode('i32x4.bitmask')],
};
const F64X2: FloatKind = {
  type: VALUE_TYPE.v128,
  load: opcode('v128.load'),
  add: opcode('f64x2.add'),
  constant: opcode('v128.const'),
  nan: Uint8Array.from([...F64_NAN, ...F64_NAN]),
  ordered: opcode('f64x2.eq'),
  select: opcode('v128.bitselect'),
  isNan: [opcode('f64x2.ne'), opcode('i64x2.bitmask')],
};

/** The kind of value that an action makes canonical. */
export function floatKind(action: number): FloatKind {
  switch (action) {
    case NAN_ACTION.f32Before:
      return F32;
    case NAN_ACTION.f64Before:
      return F64;
    case NAN_ACTION.f32x4Before:
    case NAN_ACTION.f32x4After:
      return F32X4;
    default:
      return F64X2;
  }
}

/** Replaces NaN on top of the stack by the canonical one; only NaN differs from itself. */
export function canonicalise(
  code: InstructionWriter,
  { constant, nan, ordered, select }: FloatKind,
  scratch: number,
): void {
  code.localTee(scratch).op(constant).raw(nan).localGet(scratch).localGet(scratch).op(ordered).op(select);
}
