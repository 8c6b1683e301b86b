import type { ByteReader } from './byte-reader.js';
import { readOpcode, readImmediates } from './instruction-buffer.js';
import { ModuleFault } from './module-fault.js';
import { opcode } from './opcodes.js';
import type { WasmModule } from './wasm-module.js';

const END = opcode('end');
const REF_FUNC = opcode('ref.func');

const GLOBAL_GET = opcode('global.get');

/** The constant instructions of WebAssembly 2.0, and the arithmetic that position-independent code needs since. */
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

/** Reads an initialiser up to its `end` and notes the functions that it refers to. Only imported globals are constant. */
export function readConstantExpression(
  reader: ByteReader,
  module: Pick<WasmModule, 'globals' | 'functionTypes' | 'referencedFunctions'>,
): void {
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
    if (code === REF_FUNC) {
      if (immediate >= module.functionTypes.length)
        throw new ModuleFault('unknown-function', at, `There is no function ${immediate}.`);
      module.referencedFunctions.add(immediate);
    }
    if (code === GLOBAL_GET && module.globals[immediate]?.imported !== true) {
      throw new ModuleFault('unknown-constant', at, 'An initialiser reads a global that is not imported.');
    }
  }
}
