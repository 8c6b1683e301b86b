import { ByteReader } from '../binary/byte-reader.js';
import { InstructionBuffer } from '../binary/instruction-buffer.js';
import { ModuleFault } from '../binary/module-fault.js';
import { INSTRUCTIONS, opcode, perOpcode } from '../binary/opcodes.js';
import { VALUE_TYPE, isFloatOrVector } from '../binary/value-types.js';
import type { WasmModule } from '../binary/wasm-module.js';
import { CALL, CALL_INDIRECT, GLOBAL_GET, GLOBAL_SET } from './control-opcodes.js';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import { operandUse } from './stack-height.js';
import { functionType } from './validate-profile.js';

/** What later passes need of each defined function, index 0 being the first function that is not imported. */
export interface FunctionFacts {
  /** Functions called directly, by function index, each once. */
  readonly callees: readonly number[];
  /** Type indices of indirect calls, each once. */
  readonly indirectTypes: readonly number[];
  /** Bytes of virtual stack of one activation. */
  readonly frameBytes: number;
  /** Whether the bits of a NaN may be observed in the body. */
  readonly hasFloats: boolean;
}

export interface ModuleFacts {
  readonly functions: readonly FunctionFacts[];
  /** Functions that a table may hold. */
  readonly addressTaken: ReadonlySet<number>;
  readonly usesMemoryGrow: boolean;
  /** Features beyond WebAssembly 1.0 in use, sorted. */
  readonly features: readonly string[];
}

const REF_FUNC = opcode('ref.func');
const MEMORY_GROW = opcode('memory.grow');
const TABLE_GROW = opcode('table.grow');

/** Instructions whose effect a snapshot would have to carry and does not. */
const NOT_IN_STEPPING: ReadonlySet<number> = new Set(
  ['table.set', 'table.fill', 'table.init', 'table.copy', 'elem.drop', 'data.drop'].map(opcode),
);

const FEATURES = [
  '',
  'simd',
  'bulk-memory',
  'reference-types',
  'sign-extension',
  'saturating-float-to-int',
] as const;
/** Codes of the vector instructions follow all others. */
const FIRST_VECTOR_CODE = 0x200;
const featureOf = perOpcode(({ name }) => FEATURES.indexOf(featureName(name)));
const isFloatInstruction = perOpcode(({ pops, pushes, code }) =>
  code >= FIRST_VECTOR_CODE || /[fd]/.test(`${pops}${pushes}`) ? 1 : 0,
);

function featureName(name: string): (typeof FEATURES)[number] {
  if (/^(v128|[if]\d+x\d+)\./.test(name)) return 'simd';
  if (/^(memory\.(copy|fill|init)|data\.drop|table\.(copy|init)|elem\.drop)$/.test(name))
    return 'bulk-memory';
  if (/^(ref\.|table\.|select_t$)/.test(name)) return 'reference-types';
  if (/\.extend(8|16|32)_s$/.test(name)) return 'sign-extension';
  return name.includes('trunc_sat') ? 'saturating-float-to-int' : '';
}

/** Engines' smallest frames take up to 124 bytes (Chromium); 256 KiB of these fill half of the megabyte that a worker has. */
const FRAME_BYTES = 64;
const SLOT_BYTES = 8;

/** Decodes every body once: refuses what the profile does not admit and collects the facts for the later passes. */
export function scanFunctions(module: WasmModule, { stepping }: { readonly stepping: boolean }): ModuleFacts {
  const body = new InstructionBuffer();
  const functions: FunctionFacts[] = [];
  const addressTaken = new Set(module.referencedFunctions);
  const seen = new Uint8Array(INSTRUCTIONS.reduce((most, { code }) => Math.max(most, code), 0) + 1);
  let localsTogether = 0;
  let movedTogether = 0;
  for (const [i, { code, end, start, locals }] of module.bodies.entries()) {
    body.decode(new ByteReader(module.bytes, code, end));
    const { parameters, results } = functionType(module, module.importedFunctions + i);
    const declared = locals.reduce((sum, { count }) => sum + count, parameters.length);
    localsTogether += declared;
    if (declared > ADMISSION_LIMITS.localsPerFunction || localsTogether > ADMISSION_LIMITS.localsTogether) {
      throw new ModuleFault(
        'too-large',
        start,
        `There are ${declared} locals here, ${localsTogether} together: too many.`,
      );
    }
    const callees = new Set<number>();
    const indirectTypes = new Set<number>();
    let hasFloats = false;
    let hasVectors = false;
    for (let at = 0; at < body.count; at++) {
      const op = body.code[at]!;
      seen[op] = 1;
      if (op === CALL) callees.add(functionNamed(module, body, at));
      else if (op === CALL_INDIRECT) indirectTypes.add(typeNamed(module, body, at));
      else if (op === REF_FUNC) addressTaken.add(functionNamed(module, body, at));
      else if (op === GLOBAL_SET) hasFloats ||= isFloatGlobal(module, body.immediate[at]!);
      else if (op === TABLE_GROW) refuse(body, at, 'table-grow', 'table.grow is not admitted.');
      else if (stepping && NOT_IN_STEPPING.has(op)) {
        refuse(
          body,
          at,
          'stepping-state',
          'A stepping app may not change tables or drop segments: snapshots do not carry them.',
        );
      }
      if (isFloatInstruction[op] === 1) hasFloats = true;
      if (op >= FIRST_VECTOR_CODE || givesVector(module, body, at)) hasVectors = true;
    }
    const vectorLocals = locals.reduce(
      (sum, { count, type }) => sum + (type === VALUE_TYPE.v128 ? count : 0),
      0,
    );
    const vectorParameters = parameters.filter((type) => type === VALUE_TYPE.v128).length;
    hasVectors ||= vectorLocals + vectorParameters > 0;
    const { highest, moved } = operandUse(module, body, results.length);
    movedTogether += moved;
    if (movedTogether > ADMISSION_LIMITS.operandsMovedTogether) {
      throw new ModuleFault(
        'too-large',
        start,
        `Calls, blocks and branches hand on ${movedTogether} operandsMovedTogether: too many.`,
      );
    }
    const height = highest * (hasVectors ? 2 : 1);
    functions.push({
      callees: [...callees],
      indirectTypes: [...indirectTypes],
      frameBytes: FRAME_BYTES + SLOT_BYTES * (declared + vectorLocals + vectorParameters + height),
      hasFloats,
    });
  }
  return {
    functions,
    addressTaken,
    usesMemoryGrow: seen[MEMORY_GROW] === 1,
    features: featuresSeen(module, seen),
  };
}

/** The function that an instruction names; refused here if there is none, so that names alone take no memory. */
function functionNamed({ functionTypes }: WasmModule, body: InstructionBuffer, at: number): number {
  const index = body.immediate[at]! >>> 0;
  if (index >= functionTypes.length) refuse(body, at, 'unknown-function', `There is no function ${index}.`);
  return index;
}

function typeNamed({ types }: WasmModule, body: InstructionBuffer, at: number): number {
  const index = body.immediate[at]! >>> 0;
  if (index >= types.length) refuse(body, at, 'unknown-type', `There is no type ${index}.`);
  return index;
}

/** Whether a vector comes from elsewhere onto the operand stack, without a vector instruction. */
function givesVector(module: WasmModule, body: InstructionBuffer, at: number): boolean {
  const index = body.immediate[at]!;
  switch (body.code[at]!) {
    case GLOBAL_GET:
      return module.globals[index]?.type === VALUE_TYPE.v128;
    case CALL:
      return functionType(module, index).results.includes(VALUE_TYPE.v128);
    case CALL_INDIRECT:
      return module.types[index]?.results.includes(VALUE_TYPE.v128) ?? false;
    default:
      return false;
  }
}

/** Setting such a global observes a NaN's bits, even where the value only passes through. */
function isFloatGlobal({ globals }: WasmModule, index: number): boolean {
  const global = globals[index];
  return global !== undefined && isFloatOrVector(global.type);
}

function refuse(body: InstructionBuffer, at: number, rule: string, message: string): never {
  throw new ModuleFault(rule, body.start[at] ?? null, message);
}

function featuresSeen(module: WasmModule, seen: Uint8Array): string[] {
  const features = new Set<string>();
  seen.forEach((isSeen, code) => {
    const feature = FEATURES[featureOf[code]!] ?? '';
    if (isSeen === 1 && feature !== '') features.add(feature);
  });
  if (module.types.some(({ results }) => results.length > 1)) features.add('multi-value');
  if (module.imports.some(({ kind, index }) => kind === 'global' && module.globals[index]?.mutable))
    features.add('mutable-globals');
  if (module.exports.some(({ kind, index }) => kind === 'global' && module.globals[index]?.mutable))
    features.add('mutable-globals');
  return [...features].sort();
}
