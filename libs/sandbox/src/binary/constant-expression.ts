import type { ByteReader } from './byte-reader.js';
import { readOpcode, readImmediates } from './instruction-buffer.js';
import { ModuleFault } from './module-fault.js';
import { opcode } from './opcodes.js';

const END = opcode('end');
const REF_FUNC = opcode('ref.func');

/** Constants, references, globals, and the integer arithmetic of the extended-const feature. */
const CONSTANT_INSTRUCTIONS: ReadonlySet<number> = new Set(
  [
    'i32.const',
    'i64.const',
    'f32.const',
    'f64.const',
    'v128.const',
    'ref.null',
    'ref.func',
    'global.get',
    'i32.add',
    'i32.sub',
    'i32.mul',
    'i64.add',
    'i64.sub',
    'i64.mul',
  ].map(opcode),
);

/** Reads an initialiser up to its `end` and notes the functions that it refers to. */
export function readConstantExpression(reader: ByteReader, referencedFunctions: Set<number>): void {
  for (;;) {
    const at = reader.offset;
    const code = readOpcode(reader);
    if (code === END) return;
    if (!CONSTANT_INSTRUCTIONS.has(code)) {
      throw new ModuleFault(
        'unknown-constant',
        at,
        'An initialiser contains an instruction that is not constant.',
      );
    }
    const immediate = readImmediates(reader, code);
    if (code === REF_FUNC) referencedFunctions.add(immediate);
  }
}
