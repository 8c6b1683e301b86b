import { ByteWriter } from '../binary/byte-writer.js';
import { PREFIX, opcode } from '../binary/opcodes.js';
import { EMPTY_BLOCK_TYPE } from '../binary/value-types.js';

/** Codes of the instructions that the rewriter inserts. */
const OP = {
  unreachable: opcode('unreachable'),
  block: opcode('block'),
  if: opcode('if'),
  end: opcode('end'),
  br: opcode('br'),
  brIf: opcode('br_if'),
  return: opcode('return'),
  call: opcode('call'),
  localGet: opcode('local.get'),
  localSet: opcode('local.set'),
  localTee: opcode('local.tee'),
  globalGet: opcode('global.get'),
  globalSet: opcode('global.set'),
  i32Const: opcode('i32.const'),
  i64Const: opcode('i64.const'),
} as const;

/** A byte writer that speaks in instructions. */
export class InstructionWriter extends ByteWriter {
  /** An instruction without immediates, by its code in the opcode table. */
  op(code: number): this {
    if (code < 0x100) return this.u8(code);
    return this.u8(code < 0x200 ? PREFIX.numeric : PREFIX.vector).u32(code & 0xff);
  }

  /** `blockType` as encoded: a byte for none or one value type, or a type index. */
  block(blockType: number): this {
    return this.u8(OP.block).signed(blockType);
  }

  if(): this {
    return this.u8(OP.if).u8(EMPTY_BLOCK_TYPE);
  }

  end(): this {
    return this.u8(OP.end);
  }

  br(depth: number): this {
    return this.u8(OP.br).u32(depth);
  }

  brIf(depth: number): this {
    return this.u8(OP.brIf).u32(depth);
  }

  return(): this {
    return this.u8(OP.return);
  }

  unreachable(): this {
    return this.u8(OP.unreachable);
  }

  call(functionIndex: number): this {
    return this.u8(OP.call).u32(functionIndex);
  }

  localGet(index: number): this {
    return this.u8(OP.localGet).u32(index);
  }

  localSet(index: number): this {
    return this.u8(OP.localSet).u32(index);
  }

  localTee(index: number): this {
    return this.u8(OP.localTee).u32(index);
  }

  globalGet(index: number): this {
    return this.u8(OP.globalGet).u32(index);
  }

  globalSet(index: number): this {
    return this.u8(OP.globalSet).u32(index);
  }

  i32Const(value: number): this {
    return this.u8(OP.i32Const).signed(value);
  }

  i64Const(value: number): this {
    return this.u8(OP.i64Const).signed(value);
  }
}
