import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { ModuleFault } from '../binary/module-fault.js';
import { perOpcode } from '../binary/opcodes.js';
import { EMPTY_BLOCK_TYPE } from '../binary/value-types.js';
import type { FunctionType, WasmModule } from '../binary/wasm-module.js';
import * as OP from './control-opcodes.js';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import { functionType } from './validate-profile.js';

const pops = perOpcode(({ pops: letters }) => letters?.length ?? 0);
const pushes = perOpcode(({ pushes: letters }) => letters?.length ?? 0);

const NO_TYPE: FunctionType = { parameters: [], results: [] };

/** Parameters and results of a block from its type immediate (negative: one value type or none). */
export function blockType(module: WasmModule, immediate: number): FunctionType {
  if (immediate >= 0) return module.types[immediate] ?? NO_TYPE;
  const encoded = immediate & 0x7f;
  return encoded === EMPTY_BLOCK_TYPE ? NO_TYPE : { parameters: [], results: [encoded] };
}

export interface OperandUse {
  /** The most operands that are ever on the stack. */
  readonly highest: number;
  /** How many operands calls, blocks and conditional branches hand on, each time that they stand in the body. */
  readonly moved: number;
}

/**
 * What a valid body does with its operand stack. Arities suffice, because the module is validated later; code that cannot
 * be reached counts with the fewest operands that its block guarantees. Throws ModuleFault at the instruction that is
 * beyond the limits: the engine is not asked about such a body, nor do other passes follow its operands.
 */
export function operandUse(module: WasmModule, body: InstructionBuffer, results: number): OperandUse {
  const bases = [0];
  const outputs = [results];
  const inputs = [0];
  /** Operands that a branch to the frame hands on. */
  const labels = [results];
  let height = 0;
  let highest = 0;
  let moved = 0;
  for (let i = 0; i < body.count; i++) {
    const code = body.code[i]!;
    const immediate = body.immediate[i]!;
    const base = bases[bases.length - 1] ?? 0;
    let popped = pops[code]!;
    let pushed = pushes[code]!;
    switch (code) {
      case OP.BLOCK:
      case OP.LOOP:
      case OP.IF: {
        const type = blockType(module, immediate);
        height = Math.max(height - (code === OP.IF ? 1 : 0) - type.parameters.length, base);
        bases.push(height);
        if (bases.length > ADMISSION_LIMITS.blockDepth)
          tooLarge(body, i, `Blocks nest deeper than ${ADMISSION_LIMITS.blockDepth}.`);
        inputs.push(type.parameters.length);
        outputs.push(type.results.length);
        labels.push((code === OP.LOOP ? type.parameters : type.results).length);
        pushed = type.parameters.length;
        moved += type.parameters.length + type.results.length;
        break;
      }
      case OP.ELSE:
        height = base;
        pushed = inputs[inputs.length - 1] ?? 0;
        break;
      case OP.END:
        height = base;
        pushed = outputs.pop() ?? 0;
        bases.pop();
        inputs.pop();
        labels.pop();
        break;
      case OP.BR:
      case OP.BR_TABLE:
      case OP.RETURN:
      case OP.UNREACHABLE:
        height = base;
        break;
      case OP.BR_IF:
        popped = 1;
        moved += labels[labels.length - 1 - immediate] ?? 0;
        break;
      case OP.LOCAL_SET:
      case OP.GLOBAL_SET:
        popped = 1;
        break;
      case OP.LOCAL_GET:
      case OP.GLOBAL_GET:
        pushed = 1;
        break;
      case OP.CALL:
      case OP.CALL_INDIRECT: {
        const type =
          code === OP.CALL
            ? functionType(module, immediate, body.start[i])
            : (module.types[immediate] ?? NO_TYPE);
        popped = type.parameters.length + (code === OP.CALL ? 0 : 1);
        pushed = type.results.length;
        moved += popped + pushed;
        break;
      }
    }
    height = Math.max(height - popped, bases[bases.length - 1] ?? 0) + pushed;
    if (height > highest) highest = height;
    if (height > ADMISSION_LIMITS.operandsPerFunction || moved > ADMISSION_LIMITS.operandsMovedPerFunction)
      tooLarge(body, i, tooManyOperands(height));
  }
  return { highest, moved };
}

function tooManyOperands(height: number): string {
  const { operandsPerFunction, operandsMovedPerFunction } = ADMISSION_LIMITS;
  return height > operandsPerFunction
    ? `More than ${operandsPerFunction} operands are on a function's stack (operandsPerFunction).`
    : `A function's calls, blocks and branches hand on more than ${operandsMovedPerFunction} operands (operandsMovedPerFunction).`;
}

function tooLarge(body: InstructionBuffer, i: number, message: string): never {
  throw new ModuleFault('too-large', body.start[i]!, message);
}
