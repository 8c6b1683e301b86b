import { canonicalise, floatKind } from '../admission/canonical-nan.js';
import { InstructionWriter } from '../admission/instruction-writer.js';
import { NAN_ACTION, ROLE, lanesWritten, role } from '../admission/nan-roles.js';
import { SHAPES } from '../admission/vector-shapes.js';
import { ByteReader } from '../binary/byte-reader.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { InstructionBuffer } from '../binary/instruction-buffer.js';
import { perOpcode } from '../binary/opcodes.js';
import { parseModule } from '../binary/parse-module.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import { type Body, SECTION, type WasmModule } from '../binary/wasm-module.js';
import { functionType } from '../admission/validate-profile.js';

const SCRATCH_TYPES = [VALUE_TYPE.f32, VALUE_TYPE.f64, VALUE_TYPE.v128] as const;
const makesF64 = perOpcode(({ pushes }) => (pushes === 'd' ? 1 : 0));

/**
 * For tests: the module as an engine might run it that chooses the bits of every NaN from `seed`, differently at each
 * instruction that computes one. Apply it to a rewritten module: nothing that can be seen may depend on the seed.
 * Without a seed the engine is a kind one, whose arithmetic gives canonical NaNs only.
 */
export function onHostileEngine(bytes: Uint8Array, seed: number | null): Uint8Array {
  const module = parseModule(bytes);
  const codes = new ByteWriter(bytes.length * 2).u32(module.bodies.length);
  for (const [i, body] of module.bodies.entries()) {
    const { parameters } = functionType(module, module.importedFunctions + i);
    codes.sized(hostileBody(module, body, parameters.length, seed === null ? null : seed + i));
  }
  const out = new ByteWriter(bytes.length * 2).raw(bytes.subarray(0, 8));
  for (const [id, { start, end }] of module.sections) {
    out.u8(id);
    if (id === SECTION.code) out.sized(codes);
    else out.u32(end - start).copy(bytes, start, end);
  }
  return out.view().slice();
}

function hostileBody({ bytes }: WasmModule, body: Body, parameters: number, seed: number | null): ByteWriter {
  const instructions = new InstructionBuffer();
  instructions.decode(new ByteReader(bytes, body.code, body.end));
  const firstScratch = body.locals.reduce((sum, { count }) => sum + count, parameters);
  const code = new InstructionWriter();
  code.u32(body.locals.length + SCRATCH_TYPES.length);
  for (const { count, type } of body.locals) code.u32(count).u8(type);
  for (const type of SCRATCH_TYPES) code.u32(1).u8(type);
  for (let i = 0; i < instructions.count; i++) {
    code.copy(bytes, instructions.start[i]!, instructions.start[i + 1]!);
    const action = kindOfResult(instructions.code[i]!);
    if (action === NAN_ACTION.none) continue;
    const kind = floatKind(action);
    const nan = seed === null ? kind.nan : chosenNan(kind.nan, seed * 31 + i);
    canonicalise(
      code,
      { ...kind, nan },
      firstScratch + SCRATCH_TYPES.findIndex((type) => type === kind.type),
    );
  }
  return code;
}

function kindOfResult(op: number): number {
  if (role[op] === ROLE.arithmetic) return makesF64[op] === 1 ? NAN_ACTION.f64Before : NAN_ACTION.f32Before;
  if (role[op] !== ROLE.vectorArithmetic) return NAN_ACTION.none;
  return lanesWritten[op] === SHAPES.f64x2 ? NAN_ACTION.f64x2After : NAN_ACTION.f32x4After;
}

/** Another NaN in the place of each canonical one: with a payload and, by chance, a sign. */
function chosenNan(canonical: Uint8Array, seed: number): Uint8Array {
  const isEndOfLane = (i: number) => canonical[i] === 0x7f;
  return canonical.map((byte, i) => {
    const chosen = Math.imul(seed + i, 0x9e37_79b1) >>> 24;
    if (isEndOfLane(i)) return chosen < 0x80 ? byte : byte | 0x80;
    return byte | (isEndOfLane(i + 1) ? chosen & 0x07 : chosen);
  });
}
