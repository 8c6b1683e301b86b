import { STOP } from '../abi.js';
import { opcode } from '../binary/opcodes.js';
import type { InstructionWriter } from './instruction-writer.js';

const I64_SUB = opcode('i64.sub');
const I64_ADD = opcode('i64.add');
const I64_LT_S = opcode('i64.lt_s');
const I64_SHR_U = opcode('i64.shr_u');
const EXTEND = opcode('i64.extend_i32_u');

/** The global that holds the cycles left, and a local of the function at hand. */
export interface CountdownPlaces {
  readonly cyclesGlobal: number;
  readonly stopGlobal: number;
  /** i64 scratch local, or the local that keeps the countdown. */
  readonly local: number;
}

/** How a function keeps the countdown. All count the same; they differ in speed only. */
export interface Countdown {
  /** After entry, before the first charge. */
  enter(code: InstructionWriter): void;
  /** Before an exit: the function's results are on the stack. */
  leave(code: InstructionWriter): void;
  /** Before a call of a function that finds the countdown in the global, and before a stop. */
  spill(code: InstructionWriter): void;
  /** After a call that may have changed the global. */
  load(code: InstructionWriter): void;
  /** Pushes the countdown, as the last operand of a call of a function that carries it. */
  push(code: InstructionWriter): void;
  /** Takes the countdown from the stack, after such a call. */
  pop(code: InstructionWriter): void;
  /** Charges; with a label, branches there when the limit is passed. */
  charge(code: InstructionWriter, cycles: number, stopLabel: number | null): void;
  /**
   * Charges ceil(n / 2^shift) for the i32 n on top of the stack, which stays there, and branches to the label when the
   * limit is passed: one instruction may be worth many rounds of a loop. `scratch` is an i32 local.
   */
  chargeLength(code: InstructionWriter, shift: number, scratch: number, stopLabel: number): void;
}

/** Each charge reads and writes the global: best for short functions and those that mostly call. */
export class GlobalCountdown implements Countdown {
  constructor(private readonly places: CountdownPlaces) {}

  enter(): void {}

  leave(): void {}

  spill(): void {}

  load(): void {}

  push(code: InstructionWriter): void {
    code.globalGet(this.places.cyclesGlobal);
  }

  pop(code: InstructionWriter): void {
    code.globalSet(this.places.cyclesGlobal);
  }

  charge(code: InstructionWriter, cycles: number, stopLabel: number | null): void {
    const { cyclesGlobal, local } = this.places;
    code.globalGet(cyclesGlobal);
    if (cycles > 0) code.i64Const(cycles).op(I64_SUB);
    if (stopLabel === null) {
      code.globalSet(cyclesGlobal);
      return;
    }
    if (cycles > 0) code.localTee(local).globalSet(cyclesGlobal).localGet(local);
    code.i64Const(0).op(I64_LT_S).brIf(stopLabel);
  }

  chargeLength(code: InstructionWriter, shift: number, scratch: number, stopLabel: number): void {
    const { cyclesGlobal, local } = this.places;
    code.localTee(scratch).globalGet(cyclesGlobal);
    subtractLength(code, shift, scratch);
    code.localTee(local).globalSet(cyclesGlobal);
    code.localGet(local).i64Const(0).op(I64_LT_S).brIf(stopLabel);
  }
}

/** The countdown lives in a local, which the engine keeps in a register: best for loops. */
export class LocalCountdown implements Countdown {
  constructor(private readonly places: CountdownPlaces) {}

  enter(code: InstructionWriter): void {
    this.load(code);
  }

  leave(code: InstructionWriter): void {
    this.spill(code);
  }

  spill(code: InstructionWriter): void {
    this.push(code);
    code.globalSet(this.places.cyclesGlobal);
  }

  load(code: InstructionWriter): void {
    code.globalGet(this.places.cyclesGlobal);
    this.pop(code);
  }

  push(code: InstructionWriter): void {
    code.localGet(this.places.local);
  }

  pop(code: InstructionWriter): void {
    code.localSet(this.places.local);
  }

  charge(code: InstructionWriter, cycles: number, stopLabel: number | null): void {
    const { local } = this.places;
    code.localGet(local);
    if (cycles > 0) code.i64Const(cycles).op(I64_SUB);
    if (stopLabel === null) {
      code.localSet(local);
      return;
    }
    if (cycles > 0) code.localTee(local);
    code.i64Const(0).op(I64_LT_S).brIf(stopLabel);
  }

  chargeLength(code: InstructionWriter, shift: number, scratch: number, stopLabel: number): void {
    code.localTee(scratch).localGet(this.places.local);
    subtractLength(code, shift, scratch);
    code.localTee(this.places.local).i64Const(0).op(I64_LT_S).brIf(stopLabel);
  }
}

/** The countdown comes as a parameter, whose local keeps it, and goes back as the last result. */
export class CarriedCountdown extends LocalCountdown {
  override enter(): void {}

  override leave(code: InstructionWriter): void {
    this.push(code);
  }
}

function subtractLength(code: InstructionWriter, shift: number, scratch: number): void {
  code.localGet(scratch).op(EXTEND);
  if (shift > 0)
    code
      .i64Const(2 ** shift - 1)
      .op(I64_ADD)
      .i64Const(shift)
      .op(I64_SHR_U);
  code.op(I64_SUB);
}

/** What stands behind the stop label: say why, then trap. */
export function stop(
  code: InstructionWriter,
  stopGlobal: number,
  reason: (typeof STOP)[keyof typeof STOP],
): void {
  code.i32Const(reason).globalSet(stopGlobal).unreachable();
}
