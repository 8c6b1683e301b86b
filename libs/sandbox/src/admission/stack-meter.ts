import { STOP } from '../abi.js';
import { opcode } from '../binary/opcodes.js';
import type { CallRegion } from './call-region.js';
import { type Countdown, stop } from './countdown.js';
import type { InstructionWriter } from './instruction-writer.js';

const I32_SUB = opcode('i32.sub');
const I32_ADD = opcode('i32.add');
const I32_LT_S = opcode('i32.lt_s');

export interface StackPlaces {
  readonly stackGlobal: number;
  readonly stopGlobal: number;
  /** i32 local that keeps what was left after taking, so that giving back need not read the global. */
  readonly local: number;
}

/** Takes an activation's share of the virtual stack and gives it back, over the region that the plan names. */
export class StackMeter {
  constructor(
    protected readonly bytes: number,
    protected readonly places: StackPlaces,
    private readonly region: CallRegion | null,
  ) {}

  /** Whether every exit of the function gives back. */
  get isForWholeFunction(): boolean {
    return this.region === null;
  }

  takesBefore(instruction: number): boolean {
    return this.region?.open === instruction;
  }

  givesBackBefore(instruction: number): boolean {
    return this.region !== null && this.region.end + 1 === instruction;
  }

  take(code: InstructionWriter): void {
    const { stackGlobal, stopGlobal, local } = this.places;
    code.globalGet(stackGlobal).i32Const(this.bytes).op(I32_SUB).localTee(local).globalSet(stackGlobal);
    code.localGet(local).i32Const(0).op(I32_LT_S).if();
    stop(code, stopGlobal, STOP.stack);
    code.end();
  }

  giveBack(code: InstructionWriter): void {
    code.localGet(this.places.local).i32Const(this.bytes).op(I32_ADD).globalSet(this.places.stackGlobal);
  }
}

/**
 * The same where what is left comes as a parameter, the place's local: every activation has its own copy, so there is
 * nothing to give back.
 */
export class CarriedStackMeter extends StackMeter {
  constructor(
    bytes: number,
    places: StackPlaces,
    region: CallRegion | null,
    private readonly countdown: Countdown,
  ) {
    super(bytes, places, region);
  }

  override take(code: InstructionWriter): void {
    const { stopGlobal, local } = this.places;
    code.localGet(local).i32Const(this.bytes).op(I32_SUB).localTee(local).i32Const(0).op(I32_LT_S).if();
    this.countdown.spill(code);
    stop(code, stopGlobal, STOP.stack);
    code.end();
  }

  override giveBack(): void {}
}
