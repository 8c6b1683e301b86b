import { ByteReader } from '../binary/byte-reader.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { InstructionBuffer } from '../binary/instruction-buffer.js';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import { ModuleFault } from '../binary/module-fault.js';
import type { Body, FunctionType, WasmModule } from '../binary/wasm-module.js';
import { LOOP } from './control-opcodes.js';
import { callRegion } from './call-region.js';
import { entryCyclesPaidByCallers } from './entry-cycles.js';
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

/** Instructions of a leaf that may run beyond the limit; its callers may call a larger one a million times in a line. */
const LARGEST_UNCHECKED_LEAF = 10_000;

export interface ModulePlan extends Omit<CallBehaviour, 'entryCycles'> {
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
  const emitter = new FunctionEmitter(module.bytes, added.indices, added.carriers);
  const calledWithin = new Set([...facts.addressTaken, ...facts.functions.flatMap(({ callees }) => callees)]);
  const entryCycles = options.metering ? entryCyclesPaidByCallers(module, facts, plan) : new Uint32Array(0);
  const calls: CallBehaviour = { ...plan, entryCycles: (functionIndex) => entryCycles[functionIndex] ?? 0 };
  const codes = new ByteWriter(module.bytes.length);
  for (const [i, body] of module.bodies.entries()) {
    const functionFacts = facts.functions[i]!; // The scan made one for each body.
    instructions.decode(new ByteReader(module.bytes, body.code, body.end));
    const functionIndex = module.importedFunctions + i;
    const type = functionType(module, functionIndex);
    const localTypes = typesOfLocals(type, body);
    if (options.metering) segments.find(instructions, module.bytes, calls, calls.entryCycles(functionIndex));
    const observes = options.nan && functionFacts.hasFloats;
    if (observes) {
      const isCalledWithin = calledWithin.has(functionIndex);
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
    const region = isLeaf(functionFacts, module) ? null : callRegion(instructions);
    const stackBytes = options.depth ? (plan.stackCharges[i] ?? 0) : 0;
    // Where all calls lie in one loop, its head checks the limit before each.
    const callsInLoop = region !== null && instructions.code[region.open] === LOOP;
    const carried = added.carriers.localsOf(functionIndex);
    const needsEntryCheck =
      (!isLeaf(functionFacts, module) && !callsInLoop) || instructions.count > LARGEST_UNCHECKED_LEAF;
    emitter.emit(
      {
        body,
        instructions,
        firstAddedLocal: localTypes.length + (carried?.count ?? 0),
        resultBlockType: added.resultBlockType(type.results),
        stackBytes,
        stackRegion: stackBytes <= LARGEST_UNMETERED_LEAF_BYTES ? region : null,
        metering: options.metering ? meteringOf(segments, needsEntryCheck, carried !== null) : null,
        carried,
        nan: hasNan ? { action: observations.action, runs } : null,
      },
      codes,
    );
    requireDeliverable(codes.length);
  }
  return codes;
}

/** Throws ModuleFault for more bytes than volunteers download. */
export function requireDeliverable(rewrittenBytes: number): void {
  if (rewrittenBytes <= ADMISSION_LIMITS.rewrittenBytes) return;
  throw new ModuleFault(
    'too-large',
    null,
    `The module has more than ${ADMISSION_LIMITS.rewrittenBytes} rewrittenBytes once metering is added.`,
  );
}

function typesOfLocals({ parameters }: FunctionType, { locals }: Body): Uint8Array {
  const types = new Uint8Array(locals.reduce((sum, { count }) => sum + count, parameters.length));
  types.set(parameters);
  let next = parameters.length;
  for (const { count, type } of locals) types.fill(type, next, (next += count));
  return types;
}

function isLeaf({ indirectTypes, callees }: FunctionFacts, { importedFunctions }: WasmModule): boolean {
  return indirectTypes.length === 0 && callees.every((callee) => callee < importedFunctions);
}

function meteringOf(segments: Segments, checkAtEntry: boolean, isCarried: boolean): FunctionPlan['metering'] {
  const { charge, loopHead, hasLoops, hasLengths, chargeWeight, callWeight } = segments;
  if (chargeWeight === 0 && !hasLoops && !checkAtEntry && !isCarried) return null;
  // A charge on the global loads and stores it; the local costs that around each call, and once for entry and exit.
  const keepInLocal = isCarried || (hasLoops && chargeWeight > callWeight + 1);
  return { charge, loopHead, canStop: hasLoops || hasLengths || checkAtEntry, checkAtEntry, keepInLocal };
}
