import { VALUE_TYPE } from '../binary/value-types.js';
import type { AddedLocals } from './added-locals.js';
import { type FloatKind, canonicalise, floatKind } from './canonical-nan.js';
import type { InstructionWriter } from './instruction-writer.js';

interface StoreInRun {
  readonly address: number;
  readonly value: number;
  readonly kind: FloatKind;
  /** Where the original instruction stands. */
  readonly start: number;
  readonly end: number;
}

/** Writes the sequences that make NaN bits canonical, for one function. */
export class NanEmitter {
  #run: StoreInRun[] = [];

  constructor(
    private readonly code: InstructionWriter,
    private readonly bytes: Uint8Array,
    private readonly locals: AddedLocals,
  ) {}

  /** Canonicalises the value on top of the stack, as the action says. */
  canonicalise(action: number): void {
    const kind = floatKind(action);
    canonicalise(this.code, kind, this.locals.scratch(kind.type));
  }

  /** Stores as the original does, and remembers address and value until the run is checked. */
  storeInRun(slot: number, action: number, start: number, end: number): void {
    const kind = floatKind(action);
    const address = this.locals.scratch(VALUE_TYPE.i32, `address${slot}`);
    const value = this.locals.scratch(kind.type, `value${slot}`);
    this.code.localSet(value).localTee(address).localGet(value).copy(this.bytes, start, end);
    this.#run.push({ address, value, kind, start, end });
  }

  /** A sum is NaN if a summand is; if it is NaN otherwise (infinities), storing again changes nothing. */
  checkRun(): void {
    const [first, ...rest] = this.#run;
    if (first === undefined) return;
    const { code } = this;
    const { kind } = first;
    const sum = this.locals.scratch(kind.type);
    code.localGet(first.value);
    for (const { value } of rest) code.localGet(value).op(kind.add);
    code.localTee(sum).localGet(sum);
    for (const op of kind.isNan) code.op(op);
    code.if();
    for (const { address, value, start, end } of this.#run) {
      code.localGet(address).localGet(value);
      canonicalise(code, kind, sum);
      code.copy(this.bytes, start, end);
    }
    code.end();
    this.#run = [];
  }
}
