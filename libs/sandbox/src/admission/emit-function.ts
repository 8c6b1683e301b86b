import { STOP } from '../abi.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { ADMISSION_LIMITS } from '../binary/limits.js';
import { ModuleFault } from '../binary/module-fault.js';
import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { opcode, perOpcode } from '../binary/opcodes.js';
import { EMPTY_BLOCK_TYPE, VALUE_TYPE } from '../binary/value-types.js';
import type { Body } from '../binary/wasm-module.js';
import * as OP from './control-opcodes.js';
import type { CallRegion } from './call-region.js';
import { AddedLocals } from './added-locals.js';
import { CallEmitter } from './call-emitter.js';
import type { CarriedLocals, Carriers } from './carriers.js';
import { LENGTH_SHIFT } from './cost-model.js';
import { CarriedCountdown, type Countdown, GlobalCountdown, LocalCountdown, stop } from './countdown.js';
import { NanEmitter } from './emit-nan.js';
import { InstructionWriter } from './instruction-writer.js';
import { NAN_ACTION } from './nan-roles.js';
import { CarriedStackMeter, StackMeter } from './stack-meter.js';
import type { StoreRuns } from './store-runs.js';

/** Indices of what the rewriter adds to the module. */
export interface AddedIndices {
  readonly cyclesGlobal: number;
  readonly stopGlobal: number;
  readonly stackGlobal: number;
  readonly pagesGlobal: number;
  readonly importedFunctions: number;
  /** Null where `memory.grow` stays: in modules of the test suite that import their memory. */
  readonly growFunction: number | null;
}

/** The decisions of the passes for one function. */
export interface FunctionPlan {
  readonly body: Body;
  readonly instructions: InstructionBuffer;
  /** Parameters, carried meters and declared locals: the index of the first local that is added. */
  readonly firstAddedLocal: number;
  /** Block type, as encoded, that yields the function's results. */
  readonly resultBlockType: number;
  /** Bytes of virtual stack to take; 0 for none. */
  readonly stackBytes: number;
  /** Where the stack is needed; null for the whole function. */
  readonly stackRegion: CallRegion | null;
  readonly metering: {
    readonly charge: Float64Array;
    readonly loopHead: Uint8Array;
    /** Whether the limit is checked anywhere in the function. */
    readonly canStop: boolean;
    readonly checkAtEntry: boolean;
    readonly keepInLocal: boolean;
  } | null;
  /** Where the function finds the meters that it carries; null where they stand in the globals. */
  readonly carried: CarriedLocals | null;
  /** NAN_ACTION of each instruction, and the runs of stores; null where nothing can be observed. */
  readonly nan: { readonly action: Uint8Array; readonly runs: StoreRuns } | null;
}

const MEMORY_GROW = opcode('memory.grow');

/** Instructions that the emitter looks at even when no pass marked them. */
const isSpecial = perOpcode(({ code }) =>
  [
    OP.BLOCK,
    OP.LOOP,
    OP.IF,
    OP.END,
    OP.CALL,
    OP.CALL_INDIRECT,
    OP.RETURN,
    OP.UNREACHABLE,
    MEMORY_GROW,
    ...LENGTH_SHIFT.keys(),
  ].includes(code)
    ? 1
    : 0,
);

const isLocalAccess = perOpcode(({ name }) => (name.startsWith('local.') ? 1 : 0));

/**
 * Writes one function with everything that the plan asks for. Where the function has something to do at each exit, or
 * to stop for, its body is wrapped so that every exit passes one place:
 * `block $stop (block $body … end) epilogue return end, then the stop`. Labels inside keep their depths.
 */
export class FunctionEmitter {
  readonly #code = new InstructionWriter(64 * 1024);
  readonly #function = new ByteWriter(64 * 1024);
  readonly #calls: CallEmitter;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly added: AddedIndices,
    carriers: Carriers,
  ) {
    this.#calls = new CallEmitter(this.#code, carriers, added);
  }

  /** Appends the function, size first, to the code section. */
  emit(plan: FunctionPlan, section: ByteWriter): void {
    this.#code.clear();
    const locals = new AddedLocals(plan.firstAddedLocal);
    this.#emitCode(plan, locals);
    const header = this.#function.clear();
    header.u32(plan.body.locals.length + locals.types.length);
    for (const { count, type } of plan.body.locals) header.u32(count).u8(type);
    for (const type of locals.types) header.u32(1).u8(type);
    const functionBytes = header.length + this.#code.length;
    if (functionBytes > ADMISSION_LIMITS.functionBytes) {
      throw new ModuleFault(
        'too-large',
        plan.body.start,
        `The function has ${functionBytes} functionBytes once metering is added; the limit is ${ADMISSION_LIMITS.functionBytes}.`,
      );
    }
    section.u32(functionBytes).raw(header.view()).raw(this.#code.view());
  }

  #emitCode(plan: FunctionPlan, locals: AddedLocals): void {
    const code = this.#code;
    const { metering } = plan;
    const countdown = metering === null ? null : this.#countdown(plan, locals, metering.keepInLocal);
    const stack = this.#stackMeter(plan, locals, countdown);
    const canStop = metering?.canStop === true;
    const hasEpilogue = stack?.isForWholeFunction === true || metering?.keepInLocal === true;
    const isWrapped = canStop || hasEpilogue;
    if (isWrapped) code.block(EMPTY).block(plan.resultBlockType);
    if (stack?.isForWholeFunction === true) stack.take(code);
    countdown?.enter(code);
    const firstCharge = metering?.charge[0] ?? 0;
    if (metering?.checkAtEntry === true) countdown?.charge(code, firstCharge, 1);
    else if (firstCharge > 0) countdown?.charge(code, firstCharge, null);
    this.#emitInstructions(plan, { locals, countdown, stack, hasEpilogue });
    if (isWrapped) {
      code.end();
      if (stack?.isForWholeFunction === true) stack.giveBack(code);
      countdown?.leave(code);
      code.return().end();
      countdown?.spill(code);
      stop(code, this.added.stopGlobal, STOP.cycles);
    }
    code.end();
  }

  /** Everything but the last `end`, which the caller writes. */
  #emitInstructions(plan: FunctionPlan, { locals, countdown, stack, hasEpilogue }: Meters): void {
    const code = this.#code;
    const { instructions, metering, carried, nan } = plan;
    const { code: codes, start, count } = instructions;
    const nanEmitter = new NanEmitter(code, this.bytes, locals);
    let depth = 0;
    let copied = plan.body.code;
    const copyUpTo = (offset: number) => {
      code.copy(this.bytes, copied, offset);
      copied = offset;
    };
    for (let i = 0; i < count; i++) {
      const op = codes[i]!;
      if (nan !== null && nan.runs.flush[i]! > 0) {
        copyUpTo(start[i]!);
        nanEmitter.checkRun();
      }
      if (stack?.givesBackBefore(i) === true) {
        copyUpTo(start[i]!);
        stack.giveBack(code);
      }
      if (i === count - 1) break;
      if (
        metering !== null &&
        countdown !== null &&
        i > 0 &&
        (metering.charge[i]! > 0 || metering.loopHead[i] === 1)
      ) {
        copyUpTo(start[i]!);
        countdown.charge(code, metering.charge[i]!, metering.loopHead[i] === 1 ? depth + 1 : null);
      }
      if (stack?.takesBefore(i) === true) {
        copyUpTo(start[i]!);
        stack.take(code);
      }
      if (carried !== null && isLocalAccess[op] === 1 && instructions.immediate[i]! >= carried.first) {
        // The carried meters stand before what the function declares.
        copyUpTo(start[i]!);
        code.op(op).u32(instructions.immediate[i]! + carried.count);
        copied = start[i + 1]!;
      }
      if (nan !== null) {
        const action = nan.action[i]!;
        const slot = nan.runs.slot[i]!;
        if (slot > 0) {
          copyUpTo(start[i]!);
          const keepsValue = nan.runs.keepsValue[i] === 1;
          nanEmitter.storeInRun(slot, { action, keepsValue, start: start[i]!, end: start[i + 1]! });
          copied = start[i + 1]!;
          continue;
        }
        if (action !== NAN_ACTION.none) {
          const after = action === NAN_ACTION.f32x4After || action === NAN_ACTION.f64x2After;
          copyUpTo(start[after ? i + 1 : i]!);
          nanEmitter.canonicalise(action);
        }
      }
      if (isSpecial[op] === 0) continue;
      switch (op) {
        case OP.BLOCK:
        case OP.LOOP:
        case OP.IF:
          depth++;
          break;
        case OP.END:
          depth--;
          break;
        case OP.CALL:
        case OP.CALL_INDIRECT:
          if (countdown !== null) {
            copyUpTo(start[i]!);
            const caller = { countdown, carried, locals };
            this.#calls.emit(instructions, i, caller, () => copyUpTo(start[i + 1]!));
          }
          break;
        case OP.RETURN:
          if (hasEpilogue) {
            copyUpTo(start[i]!);
            code.br(depth);
            copied = start[i + 1]!;
          }
          break;
        case OP.UNREACHABLE:
          // The one trap that is seen coming reports what was counted, in a local or carried. Others lose that much.
          if (countdown !== null) {
            copyUpTo(start[i]!);
            countdown.spill(code);
          }
          break;
        case MEMORY_GROW:
          if (this.added.growFunction === null) break;
          copyUpTo(start[i]!);
          code.call(this.added.growFunction);
          copied = start[i + 1]!;
          break;
        default: {
          const shift = LENGTH_SHIFT.get(op);
          if (shift === undefined || countdown === null) break;
          copyUpTo(start[i]!);
          countdown.chargeLength(code, shift, locals.scratch(VALUE_TYPE.i32), depth + 1);
        }
      }
    }
    copyUpTo(start[count - 1]!);
  }

  #countdown({ carried }: FunctionPlan, locals: AddedLocals, keepInLocal: boolean): Countdown {
    const { cyclesGlobal, stopGlobal } = this.added;
    const globals = { cyclesGlobal, stopGlobal };
    if (carried !== null) return new CarriedCountdown({ ...globals, local: carried.cycles });
    const places = { ...globals, local: locals.fresh(VALUE_TYPE.i64) };
    return keepInLocal ? new LocalCountdown(places) : new GlobalCountdown(places);
  }

  #stackMeter(
    { stackBytes, stackRegion, carried }: FunctionPlan,
    locals: AddedLocals,
    countdown: Countdown | null,
  ): StackMeter | null {
    if (stackBytes === 0) return null;
    const { stackGlobal, stopGlobal } = this.added;
    const globals = { stackGlobal, stopGlobal };
    const carriedStack = carried?.stack ?? null;
    if (carriedStack !== null && countdown !== null) {
      const places = { ...globals, local: carriedStack };
      return new CarriedStackMeter(stackBytes, places, stackRegion, countdown);
    }
    return new StackMeter(stackBytes, { ...globals, local: locals.fresh(VALUE_TYPE.i32) }, stackRegion);
  }
}

/** What the function at hand is metered with. */
interface Meters {
  readonly locals: AddedLocals;
  readonly countdown: Countdown | null;
  readonly stack: StackMeter | null;
  /** Whether a return has to pass the end of the wrapped body. */
  readonly hasEpilogue: boolean;
}

/** The empty block type as the signed number that its byte encodes. */
const EMPTY = EMPTY_BLOCK_TYPE - 0x80;
