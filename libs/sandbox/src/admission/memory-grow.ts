import { STOP } from '../abi.js';
import { opcode } from '../binary/opcodes.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import { stop } from './countdown.js';
import { InstructionWriter } from './instruction-writer.js';

const MEMORY_SIZE = opcode('memory.size');
const MEMORY_GROW = opcode('memory.grow');
const EXTEND = opcode('i64.extend_i32_u');
const I64_ADD = opcode('i64.add');
const I64_GT_U = opcode('i64.gt_u');
const I32_EQ = opcode('i32.eq');
const DELTA = 0;
const OUTCOME = 1;

/**
 * The body of the function that replaces `memory.grow`. Beyond the task's page limit, or the memory's own maximum,
 * growing fails with -1 as it does everywhere; below both, a refusal by the host stops the task, because another host
 * would have gone on.
 */
export function memoryGrowBody(
  limit: { readonly pagesGlobal: number; readonly ownMaximum: number },
  stopGlobal: number,
): InstructionWriter {
  const code = new InstructionWriter(64);
  const returnMinusOneIfBeyond = (pushLimit: () => void) => {
    code.op(MEMORY_SIZE).u8(0).op(EXTEND).localGet(DELTA).op(EXTEND).op(I64_ADD);
    pushLimit();
    code.op(EXTEND).op(I64_GT_U).if().i32Const(-1).return().end();
  };
  code.u32(1).u32(1).u8(VALUE_TYPE.i32);
  returnMinusOneIfBeyond(() => code.globalGet(limit.pagesGlobal));
  returnMinusOneIfBeyond(() => code.i32Const(limit.ownMaximum));
  code.localGet(DELTA).op(MEMORY_GROW).u8(0).localTee(OUTCOME).i32Const(-1).op(I32_EQ).if();
  stop(code, stopGlobal, STOP.hostMemory);
  code.end().localGet(OUTCOME).end();
  return code;
}
