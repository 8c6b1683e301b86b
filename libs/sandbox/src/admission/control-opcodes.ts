import { opcode } from '../binary/opcodes.js';

/** Codes of the instructions that structure a body, call, or move values between operands and variables. */
export const BLOCK = opcode('block');
export const LOOP = opcode('loop');
export const IF = opcode('if');
export const ELSE = opcode('else');
export const END = opcode('end');
export const BR = opcode('br');
export const BR_IF = opcode('br_if');
export const BR_TABLE = opcode('br_table');
export const RETURN = opcode('return');
export const UNREACHABLE = opcode('unreachable');
export const CALL = opcode('call');
export const CALL_INDIRECT = opcode('call_indirect');
export const LOCAL_GET = opcode('local.get');
export const LOCAL_SET = opcode('local.set');
export const LOCAL_TEE = opcode('local.tee');
export const GLOBAL_GET = opcode('global.get');
export const GLOBAL_SET = opcode('global.set');
