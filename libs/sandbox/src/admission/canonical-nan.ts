import { opcode } from '../binary/opcodes.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import type { InstructionWriter } from './instruction-writer.js';

const F32_BYTES = Uint8Array.of(0x00, 0x00, 0xc0, 0x7f);
const F64_BYTES = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f);

export interface FloatKind {
  readonly type: number;
  readonly constant: number;
  readonly nan: Uint8Array;
  /** A comparison of a value with itself that only NaN fails. `le` takes one jump on x64, `eq` two. */
  readonly ordered: number;
  readonly add: number;
}

export const F32: FloatKind = {
  type: VALUE_TYPE.f32,
  constant: opcode('f32.const'),
  nan: F32_BYTES,
  ordered: opcode('f32.le'),
  add: opcode('f32.add'),
};
export const F64: FloatKind = {
  type: VALUE_TYPE.f64,
  constant: opcode('f64.const'),
  nan: F64_BYTES,
  ordered: opcode('f64.le'),
  add: opcode('f64.add'),
};

const SELECT = opcode('select');
const VECTOR_CONSTANT = opcode('v128.const');
const BITSELECT = opcode('v128.bitselect');
const F32X4_EQUAL = opcode('f32x4.eq');
const F64X2_EQUAL = opcode('f64x2.eq');

/** Replaces a NaN on top of the stack by the positive quiet NaN without payload; only a NaN differs from itself. */
export function canonicaliseScalar(
  code: InstructionWriter,
  { constant, nan, ordered }: FloatKind,
  scratch: number,
): void {
  code.localTee(scratch).op(constant).raw(nan).localGet(scratch).localGet(scratch).op(ordered).op(SELECT);
}

/** The same for each lane of a vector. */
export function canonicaliseVector(code: InstructionWriter, lanes: 'f32x4' | 'f64x2', scratch: number): void {
  const [nan, equal] = lanes === 'f32x4' ? [F32_BYTES, F32X4_EQUAL] : [F64_BYTES, F64X2_EQUAL];
  code.localTee(scratch).op(VECTOR_CONSTANT);
  for (let written = 0; written < 16; written += nan.length) code.raw(nan);
  code.localGet(scratch).localGet(scratch).op(equal).op(BITSELECT);
}
