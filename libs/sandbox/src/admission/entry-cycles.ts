import { ByteReader } from '../binary/byte-reader.js';
import { InstructionBuffer } from '../binary/instruction-buffer.js';
import type { WasmModule } from '../binary/wasm-module.js';
import { functionsEnteredFromElsewhere } from './carriers.js';
import type { ModuleFacts } from './scan-functions.js';
import { type CallBehaviour, Segments } from './segments.js';

/**
 * The cycles of each function's first segment that its callers charge with the call, by function index; 0 where it
 * charges itself, because it is also entered from elsewhere: by the runner, or through a table. A function without
 * branches then charges nothing, and a recursion's leaves charge nothing.
 */
export function entryCyclesPaidByCallers(
  module: WasmModule,
  facts: ModuleFacts,
  calls: Omit<CallBehaviour, 'entryCycles'>,
): Uint32Array {
  const entryCycles = new Uint32Array(module.functionTypes.length);
  const enteredFromElsewhere = functionsEnteredFromElsewhere(module, facts);
  const instructions = new InstructionBuffer();
  const segments = new Segments();
  const alone: CallBehaviour = { ...calls, entryCycles: () => 0 };
  for (const [i, body] of module.bodies.entries()) {
    const functionIndex = module.importedFunctions + i;
    if (enteredFromElsewhere.has(functionIndex)) continue;
    instructions.decode(new ByteReader(module.bytes, body.code, body.end));
    segments.find(instructions, module.bytes, alone, 0);
    entryCycles[functionIndex] = segments.charge[0]!;
  }
  return entryCycles;
}
