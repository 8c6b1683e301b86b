import type { InstructionBuffer } from '../binary/instruction-buffer.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import type { AddedLocals } from './added-locals.js';
import type { CarriedLocals, Carriers } from './carriers.js';
import { CALL } from './control-opcodes.js';
import type { Countdown } from './countdown.js';
import type { InstructionWriter } from './instruction-writer.js';

/** What the calling function keeps its meters in. */
export interface CallerMeters {
  readonly countdown: Countdown;
  /** Null where the caller does not carry the meters. */
  readonly carried: CarriedLocals | null;
  readonly locals: AddedLocals;
}

/** The globals that hold the meters wherever nobody carries them. */
export interface CallGlobals {
  readonly stackGlobal: number;
  /** Functions of lower indices are the host's, which charges cycles and calls nothing back. */
  readonly importedFunctions: number;
}

/** Hands the meters over at calls, in the way that caller and callee have in common. */
export class CallEmitter {
  constructor(
    private readonly code: InstructionWriter,
    private readonly carriers: Carriers,
    private readonly globals: CallGlobals,
  ) {}

  /** Writes call number `at` of the body; `copy` writes the original instruction. */
  emit(body: InstructionBuffer, at: number, caller: CallerMeters, copy: () => void): void {
    const target = body.code[at] === CALL ? body.immediate[at]! : null;
    if (target !== null && this.carriers.has(target)) this.#callCarrier(caller, copy);
    else this.#callOther(target, caller, copy);
  }

  /** The globals stand still meanwhile, but for the stack's, which the carrier sets where it calls others. */
  #callCarrier({ countdown, carried, locals }: CallerMeters, copy: () => void): void {
    const { code, globals } = this;
    const stack = carried?.stack ?? null;
    countdown.push(code);
    if (!this.carriers.haveStack) {
      copy();
      countdown.pop(code);
    } else if (stack !== null) {
      code.localGet(stack);
      copy();
      countdown.pop(code);
    } else {
      const kept = locals.scratch(VALUE_TYPE.i32, 'stack');
      code.globalGet(globals.stackGlobal).localTee(kept);
      copy();
      countdown.pop(code);
      code.localGet(kept).globalSet(globals.stackGlobal);
    }
  }

  #callOther(target: number | null, { countdown, carried }: CallerMeters, copy: () => void): void {
    const { code, globals } = this;
    countdown.spill(code);
    const isHostCall = target !== null && target < globals.importedFunctions;
    const stack = carried?.stack ?? null;
    if (stack !== null && !isHostCall) code.localGet(stack).globalSet(globals.stackGlobal);
    copy();
    countdown.load(code);
  }
}
