import { ByteReader } from '../binary/byte-reader.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { InstructionBuffer } from '../binary/instruction-buffer.js';
import type { Body, FunctionType, WasmModule } from '../binary/wasm-module.js';
import { callRegion } from './call-region.js';
import { FunctionEmitter, type FunctionPlan } from './emit-function.js';
import type { AddedItems } from './emit-module.js';
import { NanObservations } from './nan-observations.js';
import type { ResolvedOptions } from './options.js';
import type { FunctionFacts, ModuleFacts } from './scan-functions.js';
import { type CallBehaviour, Segments } from './segments.js';
import { StoreRuns } from './store-runs.js';
import { functionType } from './validate-profile.js';

/** One activation at the end of a chain may go without paying if it is small. */
const LARGEST_UNMETERED_LEAF_BYTES = 4096;

export interface ModulePlan extends CallBehaviour {
  /** Bytes of virtual stack per defined function, 0 for none. */
  readonly stackCharges: Uint32Array;
}

/** Runs the passes over each body in turn and returns the rewritten functions, as they stand in the code section. */
export function rewriteFunctions(
  module: WasmModule,
  facts: ModuleFacts,
  added: AddedItems,
  options: ResolvedOptions,
  plan: ModulePlan,
): ByteWriter {
  const instructions = new InstructionBuffer();
  const segments = new Segments();
  const observations = new NanObservations();
  const runs = new StoreRuns();
  const emitter = new FunctionEmitter(module.bytes, added.indices);
  const calledWithin = new Set([...facts.addressTaken, ...facts.functions.flatMap(({ callees }) => callees)]);
  const codes = new ByteWriter(module.bytes.length);
  for (const [i, body] of module.bodies.entries()) {
    const functionFacts = facts.functions[i]!; // The scan made one for each body.
    instructions.decode(new ByteReader(module.bytes, body.code, body.end));
    const type = functionType(module, module.importedFunctions + i);
    const localTypes = typesOfLocals(type, body);
    const meters = options.metering && segmentsOf(segments, instructions, module.bytes, plan);
    const observes = options.nan && functionFacts.hasFloats;
    if (observes) {
      const isCalledWithin = calledWithin.has(module.importedFunctions + i);
      observations.find(instructions, {
        module,
        localTypes,
        type,
        isCalledWithin,
        stepping: added.additions.stepping,
      });
    }
    const hasNan = observes && observations.count > 0;
    if (hasNan) runs.find(instructions, observations.action);
    const stackBytes = options.depth ? (plan.stackCharges[i] ?? 0) : 0;
    emitter.emit(
      {
        body,
        instructions,
        firstAddedLocal: localTypes.length,
        resultBlockType: added.resultBlockType(type.results),
        stackBytes,
        stackRegion:
          stackBytes > 0 && stackBytes <= LARGEST_UNMETERED_LEAF_BYTES ? callRegion(instructions) : null,
        metering: meters ? meteringOf(segments, functionFacts, module.importedFunctions) : null,
        nan: hasNan ? { action: observations.action, runs } : null,
      },
      codes,
    );
  }
  return codes;
}

function typesOfLocals({ parameters }: FunctionType, { locals }: Body): Uint8Array {
  const types = new Uint8Array(locals.reduce((sum, { count }) => sum + count, parameters.length));
  types.set(parameters);
  let next = parameters.length;
  for (const { count, type } of locals) types.fill(type, next, (next += count));
  return types;
}

function segmentsOf(
  segments: Segments,
  instructions: InstructionBuffer,
  bytes: Uint8Array,
  plan: ModulePlan,
): boolean {
  segments.find(instructions, bytes, plan);
  return segments.chargeWeight > 0 || segments.hasLoops;
}

function meteringOf(
  segments: Segments,
  facts: FunctionFacts,
  importedFunctions: number,
): FunctionPlan['metering'] {
  const { charge, loopHead, hasLoops, chargeWeight, callWeight } = segments;
  const isLeaf =
    facts.indirectTypes.length === 0 && facts.callees.every((callee) => callee < importedFunctions);
  // A charge on the global loads and stores it; the local costs that around each call, and once for entry and exit.
  const keepInLocal = hasLoops && chargeWeight > callWeight + 1;
  return { charge, loopHead, hasLoops, checkAtEntry: !isLeaf, keepInLocal };
}
