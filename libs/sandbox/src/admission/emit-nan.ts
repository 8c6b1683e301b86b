import { ByteReader } from '../binary/byte-reader.js';
import { readOpcode } from '../binary/instruction-buffer.js';
import { VALUE_TYPE } from '../binary/value-types.js';
import type { AddedLocals } from './added-locals.js';
import { type FloatKind, canonicalise, floatKind } from './canonical-nan.js';
import type { InstructionWriter } from './instruction-writer.js';

interface StoreInRun {
  readonly address: number;
  /** The local that keeps what was stored; null where memory does. */
  readonly value: number | null;
  /** Where the original instruction stands, and its alignment and offset. */
  readonly start: number;
  readonly memoryArgument: number;
  readonly end: number;
}

/** A store of a run, in the original's bytes from `start` to `end`. */
export interface RunMember {
  readonly action: number;
  /** Whether another store of the run may overwrite it, so that memory does not tell what it stored. */
  readonly keepsValue: boolean;
  readonly start: number;
  readonly end: number;
}

/** Writes the sequences that make NaN bits canonical, for one function. */
export class NanEmitter {
  #run: StoreInRun[] = [];
  /** Of the run's stores. */
  #kind: FloatKind | null = null;

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

  /** Stores as the original does, adds the value to the run's sum, and remembers what it takes to store again. */
  storeInRun(slot: number, { action, keepsValue, start, end }: RunMember): void {
    const { code, bytes, locals } = this;
    const kind = floatKind(action);
    const address = locals.scratch(VALUE_TYPE.i32, `address${slot}`);
    const value = locals.scratch(kind.type, keepsValue ? `value${slot}` : '');
    const sum = locals.scratch(kind.type, 'sum');
    code.localSet(value).localTee(address).localGet(value).copy(bytes, start, end);
    code.localGet(value);
    if (this.#run.length > 0) code.localGet(sum).op(kind.add);
    code.localSet(sum);
    const reader = new ByteReader(bytes, start, end);
    readOpcode(reader);
    this.#kind = kind;
    this.#run.push({
      address,
      value: keepsValue ? value : null,
      start,
      memoryArgument: reader.offset,
      end,
    });
  }

  /** A sum is NaN if a summand is; if it is NaN otherwise (infinities), storing again changes nothing. */
  checkRun(): void {
    const { code, bytes, locals } = this;
    const kind = this.#kind;
    if (kind === null || this.#run.length === 0) return;
    const sum = locals.scratch(kind.type, 'sum');
    code.localGet(sum).localGet(sum);
    for (const op of kind.isNan) code.op(op);
    code.if();
    for (const { address, value, start, memoryArgument, end } of this.#run) {
      code.localGet(address);
      if (value === null) code.localGet(address).op(kind.load).copy(bytes, memoryArgument, end);
      else code.localGet(value);
      canonicalise(code, kind, sum);
      code.copy(bytes, start, end);
    }
    code.end();
    this.#run = [];
  }
}
